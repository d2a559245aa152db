"""Skip connections: the two ways in which a branch can be bypassed."""

from kerascnn.ops.skip_connections import dense_concatenation, residual_sum


def residual_connection(x, branch, shortcut=None):
    """`shortcut(x) + branch(x)`: the branch learns what is to be added to `x`.

    Args:
        x: tensor, or `keras.KerasTensor` of a functional model.
        branch: layer, model or any other function of a tensor.
        shortcut: optional function of a tensor as well, for a branch that changes the shape: a
            pointwise convolution, say; by default `x` itself.

    Returns:
        tensor of the shape that the branch and the shortcut have in common, in the dtype of the
        shortcut.

    Raises:
        ValueError: if the two have different shapes; nothing is broadcast.

    Reference:
        [He et al., 2016](https://arxiv.org/abs/1512.03385)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> inputs = keras.Input((32, 32, 16))
        >>> branch = keras.Sequential(
        ...     [
        ...         keras.layers.Conv2D(16, 3, padding="same", activation="relu"),
        ...         keras.layers.Conv2D(16, 3, padding="same"),
        ...     ]
        ... )
        >>> kerascnn.layers.residual_connection(inputs, branch).shape
        (None, 32, 32, 16)
    """
    return residual_sum(x if shortcut is None else shortcut(x), branch(x))


def dense_connection(x, branch, axis=-1):
    """`[x, branch(x)]` one after the other: the branch learns new features beside those of `x`.

    Args:
        x: tensor, or `keras.KerasTensor` of a functional model.
        branch: layer, model or any other function of a tensor.
        axis: int, the channel axis; 1 with channels first.

    Returns:
        tensor of the shape of `x` with the channels of `branch(x)` after its own, in its dtype.

    Raises:
        ValueError: if the branch changes the shape on another axis.

    Reference:
        [Huang et al., 2017](https://arxiv.org/abs/1608.06993)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> inputs = keras.Input((32, 32, 16))
        >>> branch = keras.layers.Conv2D(12, 3, padding="same")
        >>> kerascnn.layers.dense_connection(inputs, branch).shape
        (None, 32, 32, 28)
    """
    return dense_concatenation(x, branch(x), axis)
