"""What the registry knows of a family of models."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Family:
    """Models that share a builder and differ in the row of a table.

    Args:
        builder: function `(config, input_shape, num_classes, name=...)` that returns a
            `keras.Model`.
        variants: the table, `{name: config}`.
        input_shape: `(height, width, channels)`, the images that the papers were about.
    """

    builder: Callable[..., Any]
    variants: Mapping[str, Any]
    input_shape: tuple[int, int, int]


def joined(*families):
    """Joins the tables of the families into `{name: family}`; no name may stand in two."""
    table = {}
    for family in families:
        for name in family.variants:
            if name in table:
                raise ValueError(f"Two models are named '{name}'.")
            table[name] = family
    return table
