"""Layers, models and tools for convolutional networks with Keras 3.

`filters`, `geometry`, `initializers`, `layers`, `losses`, `metrics`, `models` and `ops` are
imported with the package. The other subpackages are imported on first use, because they need
libraries that a model does not need.
"""

import importlib

from kerascnn import filters, geometry, initializers, layers, losses, metrics, models, ops
from kerascnn.missing import how_to_install
from kerascnn.models.summary import summary
from kerascnn.version import __version__

_ON_FIRST_USE = (
    "data",
    "export",
    "inference",
    "reference",
    "runs",
    "tasks",
    "training",
    "visualize",
)

__all__ = [
    "__version__",
    "data",
    "export",
    "filters",
    "geometry",
    "inference",
    "initializers",
    "layers",
    "load_exported",
    "losses",
    "metrics",
    "models",
    "ops",
    "reference",
    "runs",
    "summary",
    "tasks",
    "training",
    "visualize",
]


def __getattr__(name):
    if name in _ON_FIRST_USE:
        try:
            return importlib.import_module(f"kerascnn.{name}")
        except ModuleNotFoundError as error:
            sentence = how_to_install(error, f"`kerascnn.{name}`")
            if sentence is None:
                raise
            raise ModuleNotFoundError(sentence, name=error.name) from error
    if name == "load_exported":
        return __getattr__("export").load_exported
    raise AttributeError(f"module 'kerascnn' has no attribute '{name}'")


def __dir__():
    return __all__
