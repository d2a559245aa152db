"""The last layer of the later Neocognitron: labelled vectors and what lies between two of them."""

import keras
import numpy as np

from kerascnn import ops
from kerascnn.arguments import UsageError, at_least_one
from kerascnn.geometry import WHOLE_IMAGE, product
from kerascnn.ops.interpolating_vectors import interpolating_vectors_shape, standardize_counts


@keras.saving.register_keras_serializable(package="kerascnn")
class InterpolatingVectors(keras.layers.Layer):
    """Scores classes by the cosine to the best mixture of two of their vectors.

    For two vectors `X_i` and `X_j` of length 1 and of the same class, with `g = X_i . X_j`, the
    cosines `s_i = x . X_i / |x|` and `s_j`, the mixture of the two with weights of 0 or more that
    is nearest to `x` has the cosine

        s_ij = sqrt((s_i**2 + s_j**2 - 2 * g * s_i * s_j) / (1 - g**2))

    where `s_i > g * s_j`, `s_j > g * s_i` and `1 - g**2 > 1e-4`, and otherwise the larger one of
    `s_i` and `s_j`. The output for a class is `scale` times that of its best pair among the
    `neighbors` vectors that are nearest to `x`; `-scale` for a class without vectors.

    No weight is trained by a gradient: `kerascnn.training.self_organize` chooses the vectors among
    the images that it sees, and `scale` so that the outputs are calibrated as logits. Before that
    the vectors are orthogonal to each other, as far as there are dimensions.

    Args:
        counts: the number of vectors of each class.
        neighbors: int, how many vectors of a class are mixed with each other; with 1, none.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 2.

    Input shape:
        `(batch, features)`

    Output shape:
        `(batch, classes)`

    Raises:
        ValueError: if `counts` is not a list of numbers of vectors, or the number of features is
            not known.

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

    def __init__(self, counts, neighbors=10, **kwargs):
        super().__init__(**kwargs)
        self.counts = standardize_counts(counts)
        self.neighbors = at_least_one(neighbors, "neighbors")

    def build(self, input_shape):
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

    def set_vectors(self, vectors):
        """Takes new vectors, each of which is scaled to a length of 1.

        Args:
            vectors: float array of shape `(vectors, features)`, those of the first class first.

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

    def call(self, inputs):
        scores = ops.interpolating_vectors(
            inputs, self.vectors, self.overlaps, self.counts, self.neighbors
        )
        return keras.ops.cast(self.scale, scores.dtype) * scores

    def compute_output_shape(self, input_shape):
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

    def compute_window(self):
        return WHOLE_IMAGE

    def compute_multiply_adds(self, input_shape, output_shape):
        return product(sum(self.counts), input_shape[-1])

    def get_config(self):
        return {**super().get_config(), "counts": self.counts, "neighbors": self.neighbors}
