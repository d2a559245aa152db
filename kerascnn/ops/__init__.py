"""The operations of the layers as functions of tensors, for every Keras backend."""

from kerascnn.ops.batch_normalization import batch_normalization, moments, normalize
from kerascnn.ops.bilinear_upsampling import bilinear_upsampling2d
from kerascnn.ops.blur_pool import blur_pool2d
from kerascnn.ops.c_cells import c_cells2d
from kerascnn.ops.channel_shuffle import channel_shuffle
from kerascnn.ops.connection_table_conv import connection_table_conv2d
from kerascnn.ops.contrast_extraction import contrast_extraction2d
from kerascnn.ops.conv_transpose import conv_transpose2d
from kerascnn.ops.crop_like import crop_like2d
from kerascnn.ops.depthwise_conv import depthwise_conv2d
from kerascnn.ops.drop_block import drop_block2d
from kerascnn.ops.dropout import dropout
from kerascnn.ops.fixed_filter import fixed_filter2d
from kerascnn.ops.group_conv import group_conv2d
from kerascnn.ops.interpolating_vectors import interpolating_vectors
from kerascnn.ops.local_response_normalization import local_response_normalization
from kerascnn.ops.max_pool_with_argmax import max_pool_with_argmax2d
from kerascnn.ops.max_unpool import max_unpool2d
from kerascnn.ops.maxout import maxout
from kerascnn.ops.pad_to_multiple import pad_to_multiple2d
from kerascnn.ops.pixel_shuffle import pixel_shuffle, pixel_unshuffle
from kerascnn.ops.pointwise_conv import pointwise_conv2d
from kerascnn.ops.rbf_output import rbf_output
from kerascnn.ops.s_cells import s_cells2d
from kerascnn.ops.scaled_tanh import scaled_tanh
from kerascnn.ops.separable_conv import separable_conv2d
from kerascnn.ops.shunting_cells import shunting_c_cells2d, shunting_s_cells2d
from kerascnn.ops.squeeze_excite import squeeze_excite
from kerascnn.ops.stochastic_depth import stochastic_depth
from kerascnn.ops.subpixel_conv import subpixel_conv2d
from kerascnn.ops.subsampling import subsampling2d

__all__ = [
    "batch_normalization",
    "bilinear_upsampling2d",
    "blur_pool2d",
    "c_cells2d",
    "channel_shuffle",
    "connection_table_conv2d",
    "contrast_extraction2d",
    "conv_transpose2d",
    "crop_like2d",
    "depthwise_conv2d",
    "drop_block2d",
    "dropout",
    "fixed_filter2d",
    "group_conv2d",
    "interpolating_vectors",
    "local_response_normalization",
    "max_pool_with_argmax2d",
    "max_unpool2d",
    "maxout",
    "moments",
    "normalize",
    "pad_to_multiple2d",
    "pixel_shuffle",
    "pixel_unshuffle",
    "pointwise_conv2d",
    "rbf_output",
    "s_cells2d",
    "scaled_tanh",
    "separable_conv2d",
    "shunting_c_cells2d",
    "shunting_s_cells2d",
    "squeeze_excite",
    "stochastic_depth",
    "subpixel_conv2d",
    "subsampling2d",
]


def __dir__():
    return __all__
