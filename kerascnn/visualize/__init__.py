"""Pictures of a training, as Matplotlib figures."""

from kerascnn.visualize.confusion_matrix import confusion_matrix
from kerascnn.visualize.examples import examples
from kerascnn.visualize.learning_curves import learning_curves

__all__ = ["confusion_matrix", "examples", "learning_curves"]
