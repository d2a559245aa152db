"""Matplotlib figures of data, training and results."""

from kerascnn.visualize.augmentation import augmentation
from kerascnn.visualize.births import births
from kerascnn.visualize.calibration import calibration
from kerascnn.visualize.cells import preferred_patterns, responses
from kerascnn.visualize.comparison import comparison
from kerascnn.visualize.confusion_matrix import confusion_matrix
from kerascnn.visualize.examples import examples
from kerascnn.visualize.fonts import MissingFontWarning
from kerascnn.visualize.learning_curves import learning_curves
from kerascnn.visualize.overlays import overlays
from kerascnn.visualize.palette import blend, colorize, palette
from kerascnn.visualize.per_class import per_class
from kerascnn.visualize.reconstructions import reconstructions

__all__ = [
    "MissingFontWarning",
    "augmentation",
    "births",
    "blend",
    "calibration",
    "colorize",
    "comparison",
    "confusion_matrix",
    "examples",
    "learning_curves",
    "overlays",
    "palette",
    "per_class",
    "preferred_patterns",
    "reconstructions",
    "responses",
]


def __dir__():
    return __all__
