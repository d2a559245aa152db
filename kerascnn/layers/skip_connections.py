"""Skip connections: residual and dense."""

from typing import Any

from kerascnn.ops.skip_connections import dense_concatenation, residual_sum


def residual_connection(x: Any, branch: Any, shortcut: Any = None) -> Any:
    """Returns `shortcut(x) + branch(x)`: the branch learns a residual of `x`.

    Args:
        x: tensor, or `keras.KerasTensor` of a functional model.
        branch: layer, model or any other function of a tensor.
        shortcut: optional function of a tensor, for a branch that changes the shape, such as a
            pointwise convolution; by default `x` itself.

    Returns:
        tensor with the common shape of the branch and the shortcut, in the dtype of the shortcut.

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


def dense_connection(x: Any, branch: Any, axis: int = -1) -> Any:
    """Concatenates `[x, branch(x)]`: the branch learns additional features of `x`.

    Args:
        x: tensor, or `keras.KerasTensor` of a functional model.
        branch: layer, model or any other function of a tensor.
        axis: int, the channel axis; 1 with channels first.

    Returns:
        tensor with the channels of `x` followed by the channels of `branch(x)`, in the dtype of
        `x`.

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
