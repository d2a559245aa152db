"""The labelled vectors at the top of the Neocognitron: one for each misclassified image."""

from typing import Any

import numpy as np

from kerascnn.arguments import UsageError


class LabelledVectors:
    """Labelled vectors of each class, which are added batch by batch.

    An image becomes a vector of its class unless that class wins by more than the margin, by the
    scores of `kerascnn.ops.interpolating_vectors`. With a margin of 0 these are the misclassified
    images.

    Args:
        classes: int, number of classes.
        neighbors: int, number of vectors of a class to interpolate between.
        margin: float.
        max_vectors: int, largest number of vectors.

    Reference:
        [Fukushima, 2013](https://doi.org/10.1016/j.neunet.2013.01.001); the margin: [Fukushima,
        2017](https://doi.org/10.1016/j.neunet.2017.10.003)
    """

    def __init__(self, classes, neighbors, margin, max_vectors):
        self.classes = [_Class() for _ in range(classes)]
        self.neighbors = neighbors
        self.margin = margin
        self.max_vectors = max_vectors
        self.errors = 0
        self.silent = 0

    @property
    def count(self):
        """The number of vectors."""
        return sum(self.counts)

    @property
    def counts(self):
        """The number of vectors of each class."""
        return tuple(one.count for one in self.classes)

    def learn(self, features, labels):
        """Learns from a batch, one image after the other.

        Args:
            features: float array of shape `(batch, features)`; rows of zeros are skipped.
            labels: int array of shape `(batch,)`.
        """
        lengths = np.linalg.norm(features, axis=1)
        self.silent += int((lengths == 0).sum())
        features = features[lengths > 0] / lengths[lengths > 0, np.newaxis]
        labels = np.asarray(labels)[lengths > 0]
        # Products with the existing vectors, and with vectors that the batch may add, are computed
        # for the whole batch, many times faster than one by one.
        before = [one.cosines(features) for one in self.classes]
        among = features @ features.T
        added = [[] for _ in self.classes]
        for i, label in enumerate(labels):
            cosines = [
                np.concatenate([known[i], among[i, new]])
                for known, new in zip(before, added, strict=True)
            ]
            scores = np.array(
                [
                    one.score(cosine, self.neighbors)
                    for one, cosine in zip(self.classes, cosines, strict=True)
                ]
            )
            others = np.delete(scores, label).max(initial=-np.inf)
            self.errors += int(scores[label] <= others)
            if scores[label] <= others + self.margin or not self.classes[label].count:
                check_limit(self.count, self.max_vectors, self.margin)
                self.classes[label].add(features[i], cosines[label])
                added[label].append(i)

    def vectors(self):
        """Returns all vectors, ordered by class."""
        return np.concatenate([one.vectors for one in self.classes if one.count])


class AveragedVectors:
    """A few vectors of each class, each a sum of the images nearest to it.

    If the vector nearest to an image belongs to the image's class, the image is added to it;
    otherwise the image becomes a new vector.

    Args:
        classes: int, number of classes.
        max_vectors: int, largest number of vectors.

    Reference:
        [Fukushima, 2003](https://doi.org/10.1016/S0925-2312(02)00614-8): the supervised competition
    """

    def __init__(self, classes, max_vectors):
        self.classes = classes
        self.max_vectors = max_vectors
        self.errors = 0
        self.silent = 0
        self._labels = []
        self._sums: Any = None
        self._units: Any = None

    @property
    def count(self):
        """The number of vectors."""
        return len(self._labels)

    @property
    def counts(self):
        """The number of vectors of each class."""
        return tuple(self._labels.count(label) for label in range(self.classes))

    def learn(self, features, labels):
        """Learns from a batch, as `LabelledVectors.learn`."""
        for feature, label in zip(features, labels, strict=True):
            length = np.linalg.norm(feature)
            if not length:
                self.silent += 1
                continue
            self._learn(feature / length, int(label))

    def _learn(self, feature, label):
        if self._sums is None:
            self._sums, self._units = np.zeros((2, 16, len(feature)), "float32")
        n = self.count
        winner = int((self._units[:n] @ feature).argmax()) if n else None
        if winner is None or self._labels[winner] != label:
            self.errors += 1
            check_limit(n, self.max_vectors)
            if n == len(self._sums):
                more = np.zeros_like(self._sums)
                self._sums, self._units = (
                    np.concatenate([old, more]) for old in (self._sums, self._units)
                )
            self._labels.append(label)
            winner = n
        self._sums[winner] += feature
        self._units[winner] = self._sums[winner] / np.linalg.norm(self._sums[winner])

    def vectors(self):
        """Returns all vectors, ordered by class."""
        return self._units[np.argsort(self._labels, kind="stable")]


def check_limit(count, limit, margin=None):
    """Raises an error if the number of vectors has reached the limit."""
    if count >= limit:
        lower = "" if margin is None else f", or lower `margin` ({margin})"
        raise UsageError(
            "`max_vectors` must be at least the number of vectors that are created; got vector "
            f"{count + 1} with max_vectors={limit}: raise `max_vectors`{lower}."
        )


class _Class:
    """The vectors of one class and the products of all pairs, in arrays that grow."""

    def __init__(self):
        self.count = 0
        self._vectors = np.zeros((0, 0), "float32")
        self._products = np.zeros((0, 0), "float32")

    @property
    def vectors(self):
        return self._vectors[: self.count]

    def cosines(self, features):
        """Returns the products of unit-length features with the vectors."""
        if not self.count:
            return np.zeros((len(features), 0), "float32")
        return features @ self.vectors.T

    def add(self, vector, products):
        """Adds a vector, given its products with the others."""
        n = self.count
        if n == len(self._products):
            size = max(16, n + n // 2)
            vectors = np.zeros((size, len(vector)), "float32")
            grown = np.zeros((size, size), "float32")
            vectors[:n] = self._vectors[:n] if n else 0
            grown[:n, :n] = self._products[:n, :n]
            self._vectors, self._products = vectors, grown
        self._vectors[n] = vector
        self._products[n, :n] = self._products[:n, n] = products
        self._products[n, n] = 1
        self.count = n + 1

    def score(self, cosines, neighbors):
        """Returns the score of `kerascnn.ops.interpolating_vectors` for one image."""
        if not len(cosines):
            return -1.0
        near = np.arange(len(cosines))
        if len(cosines) > neighbors:
            near = np.argpartition(-cosines, neighbors)[:neighbors]
        s = cosines[near]
        g = self._products[near[:, np.newaxis], near]
        s_i, s_j = s[:, np.newaxis], s[np.newaxis]
        apart = 1 - g**2
        between = (s_i > g * s_j) & (s_j > g * s_i) & (apart > 1e-4)
        best = s.max()
        if between.any():
            squared = (s_i**2 + s_j**2 - 2 * g * s_i * s_j)[between] / apart[between]
            best = max(best, float(np.sqrt(squared.max())))
        return best
