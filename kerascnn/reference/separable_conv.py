"""Separable convolution: first spatially, then across channels."""

from kerascnn.reference.depthwise_conv import depthwise_conv2d, depthwise_conv2d_backward
from kerascnn.reference.pointwise_conv import pointwise_conv2d, pointwise_conv2d_backward


def separable_conv2d(
    x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding="valid", dilation=(1, 1)
):
    """Convolves `x` `(n, h, w, c)` with `(kh, kw, c, m)`, then with `(1, 1, c * m, filters)`."""
    between = depthwise_conv2d(x, depthwise_kernel, strides, padding, dilation)
    return pointwise_conv2d(between, pointwise_kernel)


def separable_conv2d_backward(
    dy, x, depthwise_kernel, pointwise_kernel, strides=(1, 1), padding="valid", dilation=(1, 1)
):
    """Gradients `(dx, ddepthwise_kernel, dpointwise_kernel)`: chain rule, last part first."""
    between = depthwise_conv2d(x, depthwise_kernel, strides, padding, dilation)
    dbetween, dpointwise = pointwise_conv2d_backward(dy, between, pointwise_kernel)
    dx, ddepthwise = depthwise_conv2d_backward(
        dbetween, x, depthwise_kernel, strides, padding, dilation
    )
    return dx, ddepthwise, dpointwise
