"""Readable reference implementations of the operations as NumPy loops, forward and backward.

They are slow and have no options beyond the mathematics; the tests compare the layers with them.
Images are channels last. Each `..._backward` function takes the gradient `dy` of a loss with
respect to the output, and returns the gradients with respect to the inputs, derived by hand.
"""

from kerascnn.reference.activations import (
    relu,
    relu_backward,
    sigmoid,
    sigmoid_backward,
    softmax,
    softmax_backward,
)
from kerascnn.reference.batch_normalization import batch_normalization, batch_normalization_backward
from kerascnn.reference.bilinear_upsampling import (
    bilinear_upsampling2d,
    bilinear_upsampling2d_backward,
)
from kerascnn.reference.blur_pool import blur_pool2d, blur_pool2d_backward
from kerascnn.reference.channel_shuffle import channel_shuffle, channel_shuffle_backward
from kerascnn.reference.connection_table_conv import (
    connection_table_conv2d,
    connection_table_conv2d_backward,
)
from kerascnn.reference.conv_transpose import conv_transpose2d, conv_transpose2d_backward
from kerascnn.reference.crop_like import crop_like2d, crop_like2d_backward
from kerascnn.reference.dense import dense, dense_backward
from kerascnn.reference.depthwise_conv import depthwise_conv2d, depthwise_conv2d_backward
from kerascnn.reference.drop_block import drop_block2d, drop_block2d_backward
from kerascnn.reference.dropout import dropout, dropout_backward
from kerascnn.reference.fixed_filter import fixed_filter2d, fixed_filter2d_backward
from kerascnn.reference.group_conv import group_conv2d, group_conv2d_backward
from kerascnn.reference.local_response_normalization import (
    local_response_normalization,
    local_response_normalization_backward,
)
from kerascnn.reference.losses import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_loss,
    squared_loss_backward,
)
from kerascnn.reference.maxout import maxout, maxout_backward
from kerascnn.reference.neocognitron import (
    c_cells2d,
    contrast_extraction2d,
    interpolating_vectors,
    s_cells2d,
    shunting_c_cells2d,
    shunting_s_cells2d,
)
from kerascnn.reference.optimizers import gradient_descent, sgd
from kerascnn.reference.pad_to_multiple import pad_to_multiple2d, pad_to_multiple2d_backward
from kerascnn.reference.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from kerascnn.reference.pointwise_conv import pointwise_conv2d, pointwise_conv2d_backward
from kerascnn.reference.pooling import (
    average_pool2d,
    average_pool2d_backward,
    max_pool2d,
    max_pool2d_backward,
    max_unpool2d,
    max_unpool2d_backward,
)
from kerascnn.reference.rbf_output import rbf_output, rbf_output_backward
from kerascnn.reference.scaled_tanh import scaled_tanh, scaled_tanh_backward
from kerascnn.reference.separable_conv import separable_conv2d, separable_conv2d_backward
from kerascnn.reference.squeeze_excite import squeeze_excite, squeeze_excite_backward
from kerascnn.reference.stochastic_depth import stochastic_depth, stochastic_depth_backward
from kerascnn.reference.subpixel_conv import subpixel_conv2d, subpixel_conv2d_backward
from kerascnn.reference.subsampling import subsampling2d, subsampling2d_backward

__all__ = [
    "average_pool2d",
    "average_pool2d_backward",
    "batch_normalization",
    "batch_normalization_backward",
    "bilinear_upsampling2d",
    "bilinear_upsampling2d_backward",
    "blur_pool2d",
    "blur_pool2d_backward",
    "c_cells2d",
    "channel_shuffle",
    "channel_shuffle_backward",
    "connection_table_conv2d",
    "connection_table_conv2d_backward",
    "contrast_extraction2d",
    "conv_transpose2d",
    "conv_transpose2d_backward",
    "crop_like2d",
    "crop_like2d_backward",
    "dense",
    "dense_backward",
    "depthwise_conv2d",
    "depthwise_conv2d_backward",
    "drop_block2d",
    "drop_block2d_backward",
    "dropout",
    "dropout_backward",
    "fixed_filter2d",
    "fixed_filter2d_backward",
    "gradient_descent",
    "group_conv2d",
    "group_conv2d_backward",
    "interpolating_vectors",
    "local_response_normalization",
    "local_response_normalization_backward",
    "max_pool2d",
    "max_pool2d_backward",
    "max_unpool2d",
    "max_unpool2d_backward",
    "maxout",
    "maxout_backward",
    "pad_to_multiple2d",
    "pad_to_multiple2d_backward",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pointwise_conv2d",
    "pointwise_conv2d_backward",
    "rbf_output",
    "rbf_output_backward",
    "relu",
    "relu_backward",
    "s_cells2d",
    "scaled_tanh",
    "scaled_tanh_backward",
    "separable_conv2d",
    "separable_conv2d_backward",
    "sgd",
    "shunting_c_cells2d",
    "shunting_s_cells2d",
    "sigmoid",
    "sigmoid_backward",
    "softmax",
    "softmax_backward",
    "softmax_cross_entropy",
    "softmax_cross_entropy_backward",
    "squared_loss",
    "squared_loss_backward",
    "squeeze_excite",
    "squeeze_excite_backward",
    "stochastic_depth",
    "stochastic_depth_backward",
    "subpixel_conv2d",
    "subpixel_conv2d_backward",
    "subsampling2d",
    "subsampling2d_backward",
]


def __dir__():
    return __all__
