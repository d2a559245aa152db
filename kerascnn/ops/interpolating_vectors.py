"""Interpolating vectors: classification by mixtures of two labelled vectors."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from kerascnn.arguments import UsageError, at_least_one
from kerascnn.ops.empty_batch import takes_empty_batches
from kerascnn.ops.precision import float_dtype, widened
from kerascnn.ops.s_cells import EPSILON
from kerascnn.ops.symbolic import symbolic

# Vectors with a smaller squared sine are treated as equal, because of rounding in float32.
_SAME = 1e-4


def standardize_counts(counts):
    """Returns the number of vectors of each class as a tuple of ints, not all of them 0."""
    try:
        found = tuple(int(count) for count in counts)
    except TypeError:
        found = ()
    if not found or min(found) < 0 or not sum(found):
        raise UsageError(
            "`counts` must be the number of vectors of each class, each at least 0 and one of them "
            f"at least 1; got counts={counts!r}."
        )
    return found


def interpolating_vectors_shape(
    shape: Any, vectors_shape: Any, overlaps_shape: Any, counts: Sequence[int], neighbors: int = 10
) -> tuple[Any, ...]:
    """Returns the output shape of `interpolating_vectors`, and checks its input."""
    counts = standardize_counts(counts)
    at_least_one(neighbors, "neighbors")
    if len(shape) != 2 or tuple(vectors_shape) != (sum(counts), shape[-1]):
        raise ValueError(
            "`vectors` must have the shape (vectors, features), with sum(counts) vectors "
            "and the features of an input of shape (batch, features); got shape "
            f"{tuple(vectors_shape)} on input shape {tuple(shape)} with {sum(counts)} in `counts`."
        )
    wanted = (sum(count**2 for count in counts),)
    if tuple(overlaps_shape) != wanted:
        raise ValueError(
            "`overlaps` must have the products of all pairs of vectors of each class, with shape "
            f"{wanted}; got shape {tuple(overlaps_shape)}."
        )
    return (shape[0], len(counts))


@symbolic(interpolating_vectors_shape, tensors=3, output_dtype=float_dtype)
@takes_empty_batches
def interpolating_vectors(
    x: Any, vectors: Any, overlaps: Any, counts: Sequence[int], neighbors: int = 10
) -> Any:
    """Scores classes by the cosine similarity to the best mixture of two of their vectors.

    For two unit vectors `X_i` and `X_j` of the same class, with `g = X_i . X_j` and the cosines
    `s_i = x . X_i / |x|` and `s_j`, the mixture of the two with non-negative weights that is
    nearest to `x` has the cosine

        s_ij = sqrt((s_i**2 + s_j**2 - 2 * g * s_i * s_j) / (1 - g**2))

    if `s_i > g * s_j`, `s_j > g * s_i` and `1 - g**2 > 1e-4`, and otherwise the maximum of `s_i`
    and `s_j`. The score of a class is the cosine of its best pair among the `neighbors` vectors
    nearest to `x`, or -1 for a class without vectors.

    Args:
        x: float tensor of shape `(batch, features)`.
        vectors: float tensor of shape `(vectors, features)`, unit vectors ordered by class.
        overlaps: float tensor of shape `(sum of the squares of counts,)`: the products `g` of all
            pairs of vectors of each class, row by row.
        counts: the number of vectors of each class.
        neighbors: int, number of vectors of a class to mix.

    Returns:
        float tensor of shape `(batch, classes)`; computed in at least float32.

    Raises:
        ValueError: if the shapes do not match `counts`.

    Reference:
        [Fukushima, 2013](https://doi.org/10.1016/j.neunet.2013.01.001): interpolating vectors

    Example:
        >>> import keras
        >>> import kerascnn
        >>> vectors = keras.ops.array([[1.0, 0.0], [0.0, 1.0], [0.6, -0.8]])
        >>> overlaps = keras.ops.array([1.0, 0.0, 0.0, 1.0, 1.0])
        >>> x = keras.ops.array([[2.0, 1.0]])  # between the two vectors of the first class
        >>> y = kerascnn.ops.interpolating_vectors(x, vectors, overlaps, counts=(2, 1))
        >>> [round(float(score), 4) for score in y[0]]
        [1.0, 0.1789]
    """
    interpolating_vectors_shape(x.shape, vectors.shape, overlaps.shape, counts, neighbors)
    counts = standardize_counts(counts)
    dtype = float_dtype(x.dtype)
    x = widened(x)
    vectors, overlaps = ops.cast(vectors, x.dtype), ops.cast(overlaps, x.dtype)
    length = ops.sqrt(ops.sum(ops.square(x), -1, keepdims=True) + ops.cast(EPSILON, x.dtype))
    cosines = ops.matmul(x / length, ops.transpose(vectors))
    columns, offsets = (ops.convert_to_tensor(part, "int32") for part in _places(counts))
    # Placeholders for the vectors that smaller classes lack come last, and are never mixed.
    cosines = ops.concatenate([cosines, -ops.ones_like(cosines[:, :1])], -1)
    by_class = ops.take(cosines, columns, axis=1)  # (batch, classes, most vectors of a class)
    best: Any = ops.top_k(by_class, min(neighbors, max(counts)))
    nearest, places = best
    places = ops.cast(places, "int32")
    sizes = ops.convert_to_tensor(np.array(counts)[:, np.newaxis], "int32")
    known = ops.cast(places < sizes, "int32")
    rows = known * (places * sizes + offsets)  # others read a product that is not used
    index = ops.expand_dims(rows, 3) + ops.expand_dims(known * places, 2)
    g = ops.take(overlaps, index, axis=0)
    scores = _mixed(ops.expand_dims(nearest, 3), ops.expand_dims(nearest, 2), g)
    return ops.cast(ops.max(scores, (2, 3)), dtype)


def _places(counts):
    """Returns the columns of each class's cosines, and the start of its products."""
    columns = np.full((len(counts), max(counts)), sum(counts))
    offsets, column, offset = [], 0, 0
    for row, count in zip(columns, counts, strict=True):
        row[:count] = np.arange(column, column + count)
        offsets.append(offset if count else 0)
        column, offset = column + count, offset + count**2
    return columns, np.array(offsets)[:, np.newaxis]


def _mixed(s_i, s_j, g):
    """Returns the cosine of the best mixture of each pair."""
    larger = ops.maximum(s_i, s_j)
    apart = 1 - ops.square(g)
    between = ops.logical_and(s_i > g * s_j, s_j > g * s_i)
    between = ops.logical_and(between, apart > _SAME)
    squared = ops.square(s_i) + ops.square(s_j) - 2 * g * s_i * s_j
    # Values that are not selected must also have a finite gradient.
    safe = ops.where(between, squared / ops.maximum(apart, _SAME), ops.ones_like(squared))
    safe = ops.maximum(safe, EPSILON)
    return ops.where(between, ops.sqrt(safe), larger)
