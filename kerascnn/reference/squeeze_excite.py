"""Squeeze and excitation with ReLU and a sigmoid gate, composed of its layers."""

from kerascnn.reference.activations import relu, relu_backward, sigmoid, sigmoid_backward
from kerascnn.reference.dense import dense, dense_backward


def _gate(x, squeeze_kernel, squeeze_bias, excite_kernel, excite_bias):
    """All stages from the means of the channels to the gate."""
    mean = x.mean(axis=(1, 2))
    squeezed = dense(mean, squeeze_kernel, squeeze_bias)
    hidden = relu(squeezed)
    excited = dense(hidden, excite_kernel, excite_bias)
    return mean, squeezed, hidden, excited, sigmoid(excited)


def squeeze_excite(x, squeeze_kernel, squeeze_bias, excite_kernel, excite_bias):
    """`y[n, h, w, c] = gate[n, c] * x[n, h, w, c]`.

    `gate = sigmoid(dense(relu(dense(mean))))`, where `mean[n, c]` is the mean of a feature map.
    """
    *_, gate = _gate(x, squeeze_kernel, squeeze_bias, excite_kernel, excite_bias)
    return gate[:, None, None] * x


def squeeze_excite_backward(dy, x, squeeze_kernel, squeeze_bias, excite_kernel, excite_bias):
    """Gradients `(dx, dsqueeze_kernel, dsqueeze_bias, dexcite_kernel, dexcite_bias)`.

    The gate of a channel is multiplied by all its pixels, so `dgate` sums `dy * x` over them. From
    there, the gradient flows back through the stages to the mean, to which each of `H * W` pixels
    contributes equally. A pixel has a second gradient from the product with the gate itself.
    """
    mean, squeezed, hidden, excited, gate = _gate(
        x, squeeze_kernel, squeeze_bias, excite_kernel, excite_bias
    )
    dgate = (dy * x).sum(axis=(1, 2))
    dhidden, dexcite_kernel, dexcite_bias = dense_backward(
        sigmoid_backward(dgate, excited), hidden, excite_kernel
    )
    dmean, dsqueeze_kernel, dsqueeze_bias = dense_backward(
        relu_backward(dhidden, squeezed), mean, squeeze_kernel
    )
    pixels = x.shape[1] * x.shape[2]
    dx = dy * gate[:, None, None] + dmean[:, None, None] / pixels
    return dx, dsqueeze_kernel, dsqueeze_bias, dexcite_kernel, dexcite_bias
