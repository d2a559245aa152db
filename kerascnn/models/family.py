"""What the registry knows of a family of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kerascnn.arguments import one_of

# What a model makes of an image: one class, a class of every pixel, a larger image, the same again.
TASKS = ("classification", "segmentation", "upscaling", "reconstruction")


@dataclass(frozen=True)
class Pretrained:
    """The form of a variant that takes over the weights of `keras.applications`.

    Args:
        application: str, the name of the function in `keras.applications`.
        preprocessing: str, what its inputs have gone through, in the words of
            `keras.applications.imagenet_utils.preprocess_input(mode=...)`.
        options: the builder's options that make both networks the same.
    """

    application: str
    preprocessing: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """Models that share a builder and differ in the row of a table.

    Args:
        builder: function `(config, input_shape, num_classes, name=...)` that returns a
            `keras.Model`; without `num_classes` in families that have none.
        variants: the table, `{name: config}`.
        input_shape: `(height, width, channels)`, the images that the papers were about.
        num_classes: int, how many classes those had; `None` for models that know no classes.
        task: str, one of `TASKS`.
        pretrained: `{name: Pretrained}`, the variants that `keras.applications` has as well.
        keras_names: rules from the names of our layers to those of `keras.applications`:
            `{pattern: name}`, or a function of the pattern's groups (as ints) that returns it.
        torchvision_names: rules likewise to the modules of torchvision's model.
        training_options: the builder's options with which the variants are trained.
    """

    builder: Callable[..., Any]
    variants: Mapping[str, Any]
    input_shape: tuple[int | None, int | None, int]
    num_classes: int | None = 1000
    task: str = "classification"
    pretrained: Mapping[str, Pretrained] = field(default_factory=dict)
    keras_names: Mapping[str, Any] = field(default_factory=dict)
    torchvision_names: Mapping[str, Any] = field(default_factory=dict)
    training_options: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self):
        one_of(self.task, TASKS, "task")


def joined(*families):
    """Joins the tables of the families into `{name: family}`; no name may stand in two."""
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
