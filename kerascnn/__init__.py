"""Layers, models and apps for convolutional networks on Keras 3.

`filters`, `geometry`, `initializers`, `layers`, `losses`, `metrics`, `models` and `ops` are loaded
with the package. The other subpackages are loaded when they are first used: they bring in libraries
that a model does not need.
"""

import importlib

from kerascnn import filters, geometry, initializers, layers, losses, metrics, models, ops
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
        return importlib.import_module(f"kerascnn.{name}")
    if name == "load_exported":
        return importlib.import_module("kerascnn.export").load_exported
    raise AttributeError(f"module 'kerascnn' has no attribute '{name}'")


def __dir__():
    return __all__
