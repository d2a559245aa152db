"""The last layer of the later Neocognitron: labelled vectors, and interpolation between them."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from kerascnn import ops
from kerascnn.arguments import UsageError, at_least_one
from kerascnn.geometry import WHOLE_IMAGE, Window, product
from kerascnn.ops.interpolating_vectors import interpolating_vectors_shape, standardize_counts


@keras.saving.register_keras_serializable(package="kerascnn")
class InterpolatingVectors(keras.layers.Layer):
    """Scores classes by the cosine similarity to the best mixture of two of their vectors.

    For two unit vectors `X_i` and `X_j` of the same class, with `g = X_i . X_j` and the cosines
    `s_i = x . X_i / |x|` and `s_j`, the mixture of the two with non-negative weights that is
    nearest to `x` has the cosine

        s_ij = sqrt((s_i**2 + s_j**2 - 2 * g * s_i * s_j) / (1 - g**2))

    if `s_i > g * s_j`, `s_j > g * s_i` and `1 - g**2 > 1e-4`, and otherwise the maximum of `s_i`
    and `s_j`. The output for a class is `scale` times the cosine of its best pair among the
    `neighbors` vectors nearest to `x`, or `-scale` for a class without vectors.

    The weights are not trained by a gradient: `kerascnn.training.self_organize` selects the vectors
    from the training images, and `scale` so that the outputs are calibrated logits. Initially, the
    vectors are orthogonal, as far as the number of dimensions allows.

    Args:
        counts: the number of vectors of each class.
        neighbors: int, number of vectors of a class to mix; 1 for no mixing.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 2.

    Input shape:
        `(batch, features)`

    Output shape:
        `(batch, classes)`

    Raises:
        ValueError: if `counts` is not a list of numbers of vectors, or the number of features is
            unknown.

    Reference:
        [Fukushima, 2013](https://doi.org/10.1016/j.neunet.2013.01.001): interpolating vectors

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.InterpolatingVectors(counts=(2, 1))
        >>> layer.build((None, 2))
        >>> layer.set_vectors([[1.0, 0.0], [0.0, 1.0], [0.6, -0.8]])
        >>> scores = layer(keras.ops.array([[2.0, 1.0]]))
        >>> [round(float(score), 4) for score in scores[0]]
        [1.0, 0.1789]
    """

    def __init__(self, counts: Sequence[int], neighbors: int = 10, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.counts = standardize_counts(counts)
        self.neighbors = at_least_one(neighbors, "neighbors")

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        features = input_shape[-1]
        self.vectors = self.add_weight(
            name="vectors",
            shape=(sum(self.counts), features),
            initializer="orthogonal",
            trainable=False,
        )
        self.overlaps = self.add_weight(
            name="overlaps",
            shape=self._overlaps_shape,
            initializer=self._no_overlaps,
            trainable=False,
        )
        self.scale = self.add_weight(name="scale", shape=(), initializer="ones", trainable=False)

    @property
    def _overlaps_shape(self):
        return (sum(count**2 for count in self.counts),)

    def _no_overlaps(self, shape, dtype=None):
        identities = [np.eye(count).ravel() for count in self.counts]
        return keras.ops.convert_to_tensor(np.concatenate(identities), dtype=dtype)

    def set_vectors(self, vectors: Any) -> None:
        """Sets the vectors, each scaled to a length of 1.

        Args:
            vectors: float array of shape `(vectors, features)`, ordered by class.

        Raises:
            ValueError: for another shape, or a vector of zeros.
        """
        vectors = np.asarray(vectors, "float32")
        if vectors.shape != tuple(self.vectors.shape):
            raise UsageError(
                f"`vectors` must have the shape {tuple(self.vectors.shape)}; got {vectors.shape}."
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not lengths.all():
            raise UsageError("`vectors` must not be zeros; got one whose length is 0.")
        vectors = vectors / lengths
        self.vectors.assign(vectors)
        ends = np.cumsum(self.counts)[:-1]
        products = [(part @ part.T).ravel() for part in np.split(vectors, ends)]
        self.overlaps.assign(np.concatenate(products))

    def call(self, inputs: Any) -> Any:
        scores = ops.interpolating_vectors(
            inputs, self.vectors, self.overlaps, self.counts, self.neighbors
        )
        return keras.ops.cast(self.scale, scores.dtype) * scores

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        if len(input_shape) == 2 and input_shape[-1] is None:
            raise ValueError(
                f"The number of input features must be known; got shape {tuple(input_shape)}."
            )
        features = input_shape[-1] if input_shape else None
        return interpolating_vectors_shape(
            input_shape,
            (sum(self.counts), features),
            self._overlaps_shape,
            self.counts,
            self.neighbors,
        )

    def compute_window(self) -> Window | None:
        return WHOLE_IMAGE

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(sum(self.counts), input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "counts": self.counts, "neighbors": self.neighbors}
