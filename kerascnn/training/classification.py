"""How well a classifier does."""

from dataclasses import dataclass

import keras
import numpy as np
from sklearn.metrics import accuracy_score, confusion_matrix, log_loss


@dataclass(frozen=True)
class Classification:
    """A classifier's answers beside the truth.

    Args:
        labels: int array of shape `(examples,)`, the true classes.
        probabilities: float array of shape `(examples, classes)`.
    """

    labels: np.ndarray
    probabilities: np.ndarray

    @property
    def predicted(self):
        """Int array of shape `(examples,)`, the likeliest classes."""
        return self.probabilities.argmax(axis=-1)

    def metrics(self):
        """Accuracy, cross-entropy and number of examples, for `metrics.json`."""
        classes = np.arange(self.probabilities.shape[-1])
        return {
            "accuracy": float(accuracy_score(self.labels, self.predicted)),
            "loss": float(log_loss(self.labels, self.probabilities, labels=classes)),
            "num_examples": len(self.labels),
        }

    def confusion_matrix(self):
        """Int array: how many examples of a class (row) were taken for which (column)."""
        classes = np.arange(self.probabilities.shape[-1])
        return confusion_matrix(self.labels, self.predicted, labels=classes)

    def worst_first(self):
        """Indices of all examples: the mistakes, most confident first, then the narrow escapes."""
        chosen = self.probabilities[np.arange(len(self.labels)), self.predicted]
        right = self.predicted == self.labels
        return np.lexsort((np.where(right, chosen, -chosen), right))


def classify(model, dataset):
    """Lets a model classify a whole split.

    Args:
        model: `keras.Model` from images to logits.
        dataset: `tf.data` pipeline of batches of images and int labels.

    Returns:
        `Classification`.
    """
    labels, logits = [], []
    for images, truth in dataset:  # in one pass: the order of the next may be another
        labels.append(np.asarray(truth))
        logits.append(model.predict_on_batch(np.asarray(images)))
    probabilities = keras.ops.softmax(np.concatenate(logits).astype("float32"))
    return Classification(np.concatenate(labels), keras.ops.convert_to_numpy(probabilities))
