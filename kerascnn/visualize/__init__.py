"""Pictures of a training, as Matplotlib figures."""

from kerascnn.visualize.augmentation import augmentation
from kerascnn.visualize.calibration import calibration
from kerascnn.visualize.comparison import comparison
from kerascnn.visualize.confusion_matrix import confusion_matrix
from kerascnn.visualize.examples import examples
from kerascnn.visualize.learning_curves import learning_curves
from kerascnn.visualize.overlays import overlays
from kerascnn.visualize.palette import blend, colorize, palette
from kerascnn.visualize.per_class import per_class
from kerascnn.visualize.reconstructions import reconstructions

__all__ = [
    "augmentation",
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
    "reconstructions",
]


def __dir__():
    return __all__
