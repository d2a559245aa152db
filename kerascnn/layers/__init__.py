"""Keras layers; those with the name or purpose of a Keras layer are drop-in replacements."""

from kerascnn.layers.batch_normalization import BatchNormalization
from kerascnn.layers.bilinear_upsampling import BilinearUpsampling2D
from kerascnn.layers.blur_pool import BlurPool2D
from kerascnn.layers.c_cells import CCells2D
from kerascnn.layers.channel_shuffle import ChannelShuffle
from kerascnn.layers.connection_table_conv import ConnectionTableConv2D
from kerascnn.layers.contrast_extraction import ContrastExtraction2D
from kerascnn.layers.conv_transpose import Conv2DTranspose
from kerascnn.layers.crop_like import CropLike2D
from kerascnn.layers.depthwise_conv import DepthwiseConv2D
from kerascnn.layers.drop_block import DropBlock2D
from kerascnn.layers.dropout import Dropout
from kerascnn.layers.fixed_filter import FixedFilter2D
from kerascnn.layers.group_conv import GroupConv2D
from kerascnn.layers.interpolating_vectors import InterpolatingVectors
from kerascnn.layers.local_response_normalization import LocalResponseNormalization
from kerascnn.layers.max_pool_with_argmax import MaxPoolWithArgmax2D
from kerascnn.layers.max_unpool import MaxUnpool2D
from kerascnn.layers.maxout import Maxout
from kerascnn.layers.pad_to_multiple import PadToMultiple2D
from kerascnn.layers.pixel_shuffle import PixelShuffle, PixelUnshuffle
from kerascnn.layers.pointwise_conv import PointwiseConv2D
from kerascnn.layers.rbf_output import RBFOutput
from kerascnn.layers.s_cells import SCells2D
from kerascnn.layers.scaled_tanh import ScaledTanh
from kerascnn.layers.separable_conv import SeparableConv2D
from kerascnn.layers.shunting_cells import ShuntingCCells2D, ShuntingSCells2D
from kerascnn.layers.skip_connections import dense_connection, residual_connection
from kerascnn.layers.squeeze_excite import SqueezeExcite
from kerascnn.layers.stochastic_depth import StochasticDepth
from kerascnn.layers.subpixel_conv import SubpixelConv2D
from kerascnn.layers.subsampling import Subsampling2D

__all__ = [
    "BatchNormalization",
    "BilinearUpsampling2D",
    "BlurPool2D",
    "CCells2D",
    "ChannelShuffle",
    "ConnectionTableConv2D",
    "ContrastExtraction2D",
    "Conv2DTranspose",
    "CropLike2D",
    "DepthwiseConv2D",
    "DropBlock2D",
    "Dropout",
    "FixedFilter2D",
    "GroupConv2D",
    "InterpolatingVectors",
    "LocalResponseNormalization",
    "MaxPoolWithArgmax2D",
    "MaxUnpool2D",
    "Maxout",
    "PadToMultiple2D",
    "PixelShuffle",
    "PixelUnshuffle",
    "PointwiseConv2D",
    "RBFOutput",
    "SCells2D",
    "ScaledTanh",
    "SeparableConv2D",
    "ShuntingCCells2D",
    "ShuntingSCells2D",
    "SqueezeExcite",
    "StochasticDepth",
    "SubpixelConv2D",
    "Subsampling2D",
    "dense_connection",
    "residual_connection",
]


def __dir__():
    return __all__
