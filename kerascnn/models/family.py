"""What the registry knows of a family of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from kerascnn.arguments import UsageError, one_of

# What a model makes of an image: one class, a class of every pixel, a larger image, the same again.
TASKS = ("classification", "segmentation", "upscaling", "reconstruction")


@dataclass(frozen=True)
class Pretrained:
    """The form of a variant that takes the weights of `keras.applications`.

    Args:
        application: str, the name of the function in `keras.applications`.
        preprocessing: str, what its inputs have gone through, in the words of
            `keras.applications.imagenet_utils.preprocess_input(mode=...)`.
        options: the family's options that make both networks the same.
    """

    application: str
    preprocessing: str
    options: Mapping[str, Any] = field(default_factory=dict)


def no_names(config):
    """The rules of a family that no other library has."""
    return {}


@dataclass(frozen=True)
class Family:
    """Models that share a builder and differ in the row of a table.

    Args:
        builder: function `(config, input_shape, num_classes, options, name)` that returns a
            `keras.Model`; `classifier` makes that of a classifier.
        options: dataclass, the further arguments of `create_model` and their defaults.
        variants: the table, `{name: config}`.
        input_shape: `(height, width, channels)`, the images that the papers were about.
        num_classes: int, how many classes those had; `None` for models that know no classes.
        task: str, one of `TASKS`.
        encoder: bool, whether a decoder can read the features of a classifier: those at stride `s`
            are exactly `s` times smaller than images that are padded to multiples of 32.
        pretrained: `{name: Pretrained}`, the variants that `keras.applications` has as well.
        keras_names: function of a config that returns rules from the names of our layers to those
            of `keras.applications`: `{pattern: name}`, or a function of the pattern's groups
            (numbers as ints) in place of the name.
        torchvision_names: the same, to the modules of torchvision's model.
        training_options: the options with which the variants are trained.
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
        """The options of a model by its name, with defaults for those that are not given."""
        known = [option.name for option in fields(self.options)]
        for option, value in given.items():
            if option not in known:
                raise UsageError(
                    f"The options of {name!r} are {', '.join(known)}; got {option}={value!r}."
                )
        return self.options(**given)


def joined(*families):
    """Joins the tables of the families into `{name: family}`; no name may be in two."""
    table = {}
    for family in families:
        for name in family.variants:
            if name in table:
                raise ValueError(f"Two models are named '{name}'.")
            table[name] = family
    return table


def distinct(table):
    """The families of a joined table, each once."""
    return list({id(family): family for family in table.values()}.values())
