"""Sums and concatenations of skip connections."""

from typing import Any

from keras import ops

from kerascnn.geometry import Window
from kerascnn.ops.shapes import channel_axis
from kerascnn.ops.symbolic import symbolic


def residual_shape(shortcut_shape: Any, branch_shape: Any) -> Any:
    """Returns the shape of the sum, and checks that both terms have it, without broadcasting."""
    if not _agree(shortcut_shape, branch_shape):
        raise ValueError(
            "The branch and the shortcut must have the same shape; "
            f"got {tuple(branch_shape)} from the branch and {tuple(shortcut_shape)} from the "
            "shortcut."
        )
    return _known(shortcut_shape, branch_shape)


@symbolic(residual_shape, tensors=2, window=Window())
def residual_sum(shortcut, branch):
    """Returns `shortcut + branch`, both of the same shape, in the dtype of the shortcut."""
    residual_shape(shortcut.shape, branch.shape)
    return ops.add(shortcut, ops.cast(branch, shortcut.dtype))


def dense_shape(x_shape: Any, branch_shape: Any, axis: int = -1) -> Any:
    """Returns the shape of the concatenation, and checks the shapes of its parts."""
    axis = channel_axis(x_shape, axis)
    rest, branch_rest = ((*shape[:axis], *shape[axis + 1 :]) for shape in (x_shape, branch_shape))
    if len(x_shape) != len(branch_shape) or not _agree(rest, branch_rest):
        raise ValueError(
            f"The branch must keep the shape of its input except on axis {axis}; "
            f"got {tuple(branch_shape)} from the branch for input shape {tuple(x_shape)}."
        )
    rest = _known(rest, branch_rest)
    sizes = x_shape[axis], branch_shape[axis]
    return (*rest[:axis], None if None in sizes else sum(sizes), *rest[axis:])


@symbolic(dense_shape, tensors=2, window=Window())
def dense_concatenation(x, branch, axis=-1):
    """Concatenates `[x, branch]` on `axis`, in the dtype of `x`."""
    dense_shape(x.shape, branch.shape, axis)
    return ops.concatenate([x, ops.cast(branch, x.dtype)], axis)


def _agree(shape, other):
    """Returns whether two shapes agree in their known sizes."""
    return len(shape) == len(other) and all(
        None in sizes or sizes[0] == sizes[1] for sizes in zip(shape, other, strict=True)
    )


def _known(shape, other):
    """Merges the known sizes of two shapes that agree."""
    return tuple(b if a is None else a for a, b in zip(shape, other, strict=True))
