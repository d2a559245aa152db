"""Images of several sizes in memory: their pixels in one flat tensor."""

import tensorflow as tf


def in_memory(dataset, count):
    """Returns a dataset with a single element that holds all elements of another dataset.

    Args:
        dataset: `tf.data.Dataset` of tuples of tensors of any height and width.
        count: int, the number of elements.

    Returns:
        `tf.data.Dataset`, whose element is the first argument of `take`.
    """

    def flattened(*parts):
        return tuple((tf.reshape(part, [-1]), tf.shape(part, tf.int64)) for part in parts)

    def rows(*parts):
        return tuple((*_row(pixels), shapes) for pixels, shapes in parts)

    # Prefetching requests a second element, so that the cache sees the end of the dataset.
    stacked = dataset.map(flattened, tf.data.AUTOTUNE).ragged_batch(count).map(rows)
    return stacked.cache().prefetch(2)


def _row(pixels):
    """Returns all pixels in one flat tensor, and the offset of each image."""
    if not isinstance(pixels, tf.RaggedTensor):  # all images have the same size
        pixels = tf.RaggedTensor.from_tensor(pixels)  # pyright: ignore[reportAttributeAccessIssue]
    return pixels.values, pixels.row_starts()


def table_of(parts):
    """Returns the table of a dataset with one element."""
    start = tf.zeros(1, tf.int64)
    return tuple(
        (tf.reshape(part, [-1]), start, tf.shape(part, tf.int64)[tf.newaxis]) for part in parts
    )


def take(table, place, spec):
    """Returns the element at a position.

    Args:
        table: the element that `in_memory` stores.
        place: scalar int64 tensor.
        spec: the `element_spec` of the dataset, whose static shapes the tensors get.

    Returns:
        tuple of tensors.
    """
    found = []
    for (pixels, starts, shapes), part in zip(table, spec, strict=True):
        shape = shapes[place]
        taken = tf.slice(pixels, starts[place][tf.newaxis], tf.reduce_prod(shape)[tf.newaxis])
        found.append(tf.ensure_shape(tf.reshape(taken, shape), part.shape))
    return tuple(found)
