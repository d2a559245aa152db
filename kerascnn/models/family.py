"""Families of models in the registry."""

import numbers
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np

from kerascnn.arguments import UsageError, one_of

# The output for an image: a class, a class for every pixel, a larger image, the same image.
TASKS = ("classification", "segmentation", "upscaling", "reconstruction")

# What values of the types of options can be, and how an error names them
_KINDS: Mapping[Any, tuple[Any, str]] = {
    bool: ((numbers.Integral, np.bool_), "a bool"),
    int: (numbers.Integral, "an int"),
    float: (numbers.Real, "a float"),
    str: (str, "a str"),
    Mapping: (Mapping, "a dict"),
    type(None): (type(None), "None"),
}


@dataclass(frozen=True)
class Pretrained:
    """The form of a variant that matches `keras.applications`.

    Args:
        application: str, the name of the function in `keras.applications`.
        preprocessing: str, the preprocessing of its inputs, a mode of
            `keras.applications.imagenet_utils.preprocess_input`.
        options: the family's options that make both models the same.
    """

    application: str
    preprocessing: str
    options: Mapping[str, Any] = field(default_factory=dict)


def no_names(config):
    """Returns the renaming rules of a family without counterpart in other libraries."""
    return {}


@dataclass(frozen=True)
class Family:
    """Models with the same builder and different configurations.

    Args:
        builder: function `(config, input_shape, num_classes, options, name)` that returns a
            `keras.Model`; `classifier` creates the builder of a classifier.
        options: dataclass, the further arguments of `create_model` and their defaults.
        variants: the table, `{name: config}`.
        input_shape: `(height, width, channels)`, the default size, as in the paper.
        num_classes: int, the default number of classes; `None` for models without classes.
        task: str, one of `TASKS`.
        encoder: bool, whether a classifier can be an encoder: its features at stride `s` must be
            exactly `s` times smaller than images whose sizes are multiples of 32.
        pretrained: `{name: Pretrained}`, the variants that `keras.applications` also has.
        keras_names: function of a config that returns rules from our layer names to the names in
            `keras.applications`: `{pattern: name}`, where the name may be a function of the
            pattern's groups (numbers as ints).
        torchvision_names: the same for the modules of torchvision's model.
        training_options: the options to train the variants with.
    """

    builder: Callable[..., Any]
    options: type
    variants: Mapping[str, Any]
    input_shape: tuple[int | None, int | None, int]
    num_classes: int | None = 1000
    task: str = "classification"
    encoder: bool = False
    pretrained: Mapping[str, Pretrained] = field(default_factory=dict)
    keras_names: Callable[[Any], Mapping[str, Any]] = no_names
    torchvision_names: Callable[[Any], Mapping[str, Any]] = no_names
    training_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        one_of(self.task, TASKS, "task")

    def options_of(self, name, given):
        """Returns the options of a model by name, with defaults for missing options."""
        known = [option.name for option in fields(self.options)]
        types = get_type_hints(self.options)
        for option, value in given.items():
            if option not in known:
                raise UsageError(
                    f"The options of {name!r} are {', '.join(known)}; got {option}={value!r}."
                )
            _check_type(value, types[option], option)
        return self.options(**given)


def _check_type(value, hint, name):
    """Checks a value of an option by its type hint, such as `float` or `str | None`."""
    hints = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    kinds = [_KINDS[kind] for kind in map(_plain, hints) if kind in _KINDS]
    if len(kinds) == len(hints) and not any(isinstance(value, types) for types, _ in kinds):
        allowed = " or ".join(text for _, text in kinds)
        raise UsageError(f"`{name}` must be {allowed}; got {name}={value!r}.")


def _plain(hint):
    return get_origin(hint) or hint


def joined(*families):
    """Joins the tables of families into `{name: family}`; names must be unique."""
    table = {}
    for family in families:
        for name in family.variants:
            if name in table:
                raise ValueError(f"Two models are named '{name}'.")
            table[name] = family
    return table


def distinct(table):
    """Returns the families of a joined table, each once."""
    return list({id(family): family for family in table.values()}.values())
