"""Classification of a dataset, and metrics of the results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    log_loss,
    precision_recall_fscore_support,
)

from kerascnn.arguments import UsageError

# With fewer classes, the top 5 would be all classes.
_FEWEST_FOR_TOP5 = 6


@dataclass(frozen=True)
class Classification:
    """The predictions of a classifier and the true classes.

    Args:
        labels: int array of shape `(examples,)`, the true classes.
        probabilities: float array of shape `(examples, classes)`; in half precision it is
            cast to float32, and its rows are rescaled to sum to 1.

    Raises:
        ValueError: if a label is outside [0, classes).

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> probabilities = np.array([[0.7, 0.3], [0.6, 0.4]])
        >>> found = kerascnn.inference.Classification(np.array([0, 1]), probabilities)
        >>> found.metrics()["accuracy"]
        0.5
    """

    labels: np.ndarray
    probabilities: np.ndarray

    def __post_init__(self):
        given, labels = np.asarray(self.probabilities), np.asarray(self.labels)
        wrong = labels[(labels < 0) | (labels >= given.shape[-1])]
        if wrong.size:
            raise UsageError(
                f"`labels` must be in [0, {given.shape[-1]}), the number of columns of "
                f"`probabilities`; got {wrong[0]}."
            )
        wide = given.astype(np.promote_types(given.dtype, "float32"), copy=False)
        if wide.dtype != given.dtype:
            wide = wide / wide.sum(axis=-1, keepdims=True)
        object.__setattr__(self, "probabilities", wide)

    @property
    def _classes(self):
        return np.arange(self.probabilities.shape[-1])

    @property
    def predicted(self) -> np.ndarray:
        """Int array of shape `(examples,)`, the most probable classes."""
        return self.probabilities.argmax(axis=-1)

    @property
    def confidences(self) -> np.ndarray:
        """Float array of shape `(examples,)`, the probabilities of the most probable classes."""
        return self.probabilities.max(axis=-1)

    def metrics(self) -> dict[str, Any]:
        """Returns the metrics of all examples.

        Returns:
            dict: `accuracy`; `balanced_accuracy`, the mean of the recall of each class that has
            examples; `top5_accuracy` if there are more than five classes; `loss`, the
            cross-entropy; `expected_calibration_error`; `num_examples`.
        """
        recall, counts = self._recall()
        metrics = {
            "accuracy": float(accuracy_score(self.labels, self.predicted)),
            "balanced_accuracy": float(recall[counts > 0].mean()),
        }
        if len(self._classes) >= _FEWEST_FOR_TOP5:
            metrics["top5_accuracy"] = self._top_accuracy(5)
        metrics["loss"] = float(log_loss(self.labels, self.probabilities, labels=self._classes))
        metrics["expected_calibration_error"] = self.expected_calibration_error()
        metrics["num_examples"] = len(self.labels)
        return metrics

    def _recall(self):
        """Returns the recall and the number of examples of each class."""
        counts = np.bincount(self.labels, minlength=len(self._classes))
        right = np.bincount(self.labels[self.predicted == self.labels], minlength=len(counts))
        return right / np.maximum(counts, 1), counts

    def _top_accuracy(self, guesses):
        # Of equally likely classes, the first one counts, as in `predicted`. scikit-learn's
        # `top_k_accuracy_score` uses the last, and may then be lower than `accuracy`.
        order = np.argsort(-self.probabilities, axis=-1, kind="stable")[:, :guesses]
        return float((order == self.labels[:, np.newaxis]).any(axis=-1).mean())

    def calibration(self, bins: int = 15) -> list[dict[str, Any]]:
        """Compares the confidence of predictions with their accuracy.

        Groups the examples by confidence into bins of equal width. A bin includes its upper edge
        but not its lower edge; the first bin also includes 0.

        Args:
            bins: int, at least 1.

        Returns:
            list with a dict for each bin, for `kerascnn.visualize.calibration`: its edges `low` and
            `high`, its `count` of examples, and their mean `confidence` and `accuracy`, which are
            `None` in an empty bin.

        Raises:
            ValueError: if `bins` is below 1.
        """
        if bins < 1:
            raise UsageError(f"`bins` must be at least 1; got bins={bins}.")
        confidences, right = self.confidences, self.predicted == self.labels
        edges = np.linspace(0, 1, bins + 1)
        place = np.digitize(confidences, edges[1:-1], right=True)
        rows = []
        for i in range(bins):
            inside = place == i
            filled = inside.any()
            rows.append(
                {
                    "low": float(edges[i]),
                    "high": float(edges[i + 1]),
                    "count": int(inside.sum()),
                    "confidence": float(confidences[inside].mean(dtype=float)) if filled else None,
                    "accuracy": float(right[inside].mean()) if filled else None,
                }
            )
        return rows

    def expected_calibration_error(self, bins: int = 15) -> float:
        """Computes the mean difference between confidence and accuracy.

        The value is `sum(count * abs(accuracy - confidence)) / examples` over the bins of
        `calibration`. It is 0 if, for example, 80 % of the predictions with a confidence of 80 %
        are correct.

        Args:
            bins: int, at least 1.

        Returns:
            float in [0, 1].

        Raises:
            ValueError: if `bins` is below 1.
        Reference:
            [Guo et al., 2017](https://arxiv.org/abs/1706.04599), equation 3
        """
        gaps = [
            row["count"] * abs(row["accuracy"] - row["confidence"])
            for row in self.calibration(bins)
            if row["count"]
        ]
        return sum(gaps) / len(self.labels)

    def per_class(self, class_names: Sequence[str]) -> list[dict[str, Any]]:
        """Computes the metrics of each class.

        Args:
            class_names: names of the classes.

        Returns:
            list with a dict for each class, in order: `class_name`; `precision`, the fraction of
            predictions of the class that are correct; `recall`, the fraction of the class that was
            predicted correctly; `f1`, their harmonic mean; `support`, its number of examples.
            Undefined values are 0.

        Raises:
            ValueError: if the number of names is not the number of classes.
        """
        if len(class_names) != len(self._classes):
            raise UsageError(
                f"`class_names` must name each of the {len(self._classes)} classes; "
                f"got {len(class_names)} names."
            )
        precision, recall, f1, support = precision_recall_fscore_support(
            self.labels,
            self.predicted,
            labels=self._classes,
            zero_division=0,  # pyright: ignore[reportArgumentType]
        )
        return [
            {
                "class_name": class_names[i],
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
                "support": int(support[i]),
            }
            for i in self._classes
        ]

    def confusion_matrix(self) -> np.ndarray:
        """Returns int counts of examples by true class (rows) and predicted class (columns)."""
        return confusion_matrix(self.labels, self.predicted, labels=self._classes)

    def worst_first(self) -> np.ndarray:
        """Returns the indices of all examples, sorted: mistakes first, the most confident first."""
        right = self.predicted == self.labels
        return np.lexsort((np.where(right, self.confidences, -self.confidences), right))


def classify(model: keras.Model, dataset: Iterable[Any]) -> Classification:
    """Classifies a whole dataset.

    Args:
        model: `keras.Model` from images to logits.
        dataset: `tf.data` pipeline, or another iterable, of batches of images and int labels.

    Returns:
        `Classification`.

    Example:
        >>> import keras
        >>> import kerascnn
        >>> digits = kerascnn.data.load_classification("digits")
        >>> model = keras.Sequential(
        ...     [keras.Input(digits.image_shape), keras.layers.Flatten(), keras.layers.Dense(10)]
        ... )
        >>> kerascnn.inference.classify(model, digits.pipeline("test")).probabilities.shape
        (360, 10)
    """
    labels, logits = [], []
    for images, truth in dataset:  # in one pass, because the order of the next may differ
        labels.append(np.asarray(truth))
        logits.append(model.predict_on_batch(np.asarray(images)))
    probabilities = keras.ops.softmax(np.concatenate(logits).astype("float32"))
    return Classification(np.concatenate(labels), keras.ops.convert_to_numpy(probabilities))
