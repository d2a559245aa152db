"""Layers, models and apps for convolutional networks on Keras 3.

`filters`, `geometry`, `initializers`, `layers`, `models`, `ops` and all that Keras needs to load a
saved model are loaded with the package. `data`, `export`, `reference`, `training` and `visualize`
are loaded when they are first used: they bring in libraries that a model does not need.
"""

import importlib

# `losses` and `metrics` register what a compiled model was saved with.
from kerascnn import filters, geometry, initializers, layers, losses, metrics, models, ops  # noqa: F401
from kerascnn.models.summary import summary
from kerascnn.version import __version__

_ON_FIRST_USE = ("data", "export", "reference", "training", "visualize")

__all__ = [
    "__version__",
    "data",
    "export",
    "filters",
    "geometry",
    "initializers",
    "layers",
    "models",
    "ops",
    "reference",
    "summary",
    "training",
    "visualize",
]


def __getattr__(name):
    if name in _ON_FIRST_USE:
        return importlib.import_module(f"kerascnn.{name}")
    raise AttributeError(f"module 'kerascnn' has no attribute '{name}'")


def __dir__():
    return __all__
