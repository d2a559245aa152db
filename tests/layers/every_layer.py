"""Every layer in the forms it has, as a function of images with 16 channels."""

import keras

from kerascnn import layers
from tests.nightly import every_night


def pooled(x):
    y, indices = layers.MaxPoolWithArgmax2D(3, 2, padding="same")(x)
    return y + keras.ops.cast(indices, y.dtype)  # so that both count


def unpooled(x):
    y, indices = layers.MaxPoolWithArgmax2D(2)(x)
    return layers.MaxUnpool2D(2)([y, indices, x])


def cropped(x):
    padded = layers.PadToMultiple2D(5, margin=1, mode="zeros")(x)
    return layers.CropLike2D((0, 2))([padded, x])


# Made anew for every call, with weights and seeds from Keras's global random state.
EVERY_LAYER = {
    "BatchNormalization": lambda x: layers.BatchNormalization(
        moving_mean_initializer="random_normal",
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 2.0),
    )(x),
    "BilinearUpsampling2D": lambda x: layers.BilinearUpsampling2D((2, 3))(x),
    "BlurPool2D": lambda x: layers.BlurPool2D()(x),
    "BlurPool2D_same": lambda x: layers.BlurPool2D(4, padding="same")(x),
    "CCells2D": lambda x: layers.CCells2D()(x),
    "CCells2D_valid": lambda x: layers.CCells2D(0.7, 1, kernel_size=3, padding="valid")(x),
    "ChannelShuffle": lambda x: layers.ChannelShuffle(4)(x),
    "ConnectionTableConv2D": lambda x: layers.ConnectionTableConv2D(
        [[0], [3, 1, 15], list(range(16)), [7, 8]], 3, padding=1, activation="tanh"
    )(x),
    "ConnectionTableConv2D_strides": lambda x: layers.ConnectionTableConv2D(
        [[2, 5], [5, 11]], (3, 2), strides=2, padding="same"
    )(x),
    "ContrastExtraction2D": lambda x: layers.ContrastExtraction2D(5)(x),
    "Conv2DTranspose": lambda x: layers.Conv2DTranspose(8, 3, strides=2, padding="same")(x),
    "Conv2DTranspose_dilation": lambda x: layers.Conv2DTranspose(
        8, 3, dilation_rate=2, padding="same"
    )(x),
    "Conv2DTranspose_groups": lambda x: layers.Conv2DTranspose(
        8, 3, strides=2, padding="same", groups=4
    )(x),
    "Conv2DTranspose_zeros": lambda x: layers.Conv2DTranspose(8, 4, strides=2, padding=1, groups=2)(
        x
    ),
    "CropLike2D": cropped,
    "DepthwiseConv2D": lambda x: layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2)(x),
    "DepthwiseConv2D_dilation": lambda x: layers.DepthwiseConv2D(
        3, padding="same", dilation_rate=2
    )(x),
    "DropBlock2D": lambda x: layers.DropBlock2D(0.3, block_size=3)(x),
    "Dropout": lambda x: layers.Dropout(0.3)(x),
    "Dropout_classic": lambda x: layers.Dropout(0.25, mode="classic")(x),
    "FixedFilter2D": lambda x: layers.FixedFilter2D("unsharp_mask")(x),
    "GroupConv2D": lambda x: layers.GroupConv2D(16, 3, groups=4, padding="same", activation="relu")(
        x
    ),
    "GroupConv2D_dilation": lambda x: layers.GroupConv2D(
        16, 3, groups=2, padding="same", dilation_rate=2
    )(x),
    "GroupConv2D_strides": lambda x: layers.GroupConv2D(16, 3, groups=8, padding="same", strides=2)(
        x
    ),
    "GroupConv2D_zeros": lambda x: layers.GroupConv2D(16, 3, groups=8, padding=(2, 1))(x),
    "InterpolatingVectors": lambda x: layers.InterpolatingVectors((3, 0, 2), neighbors=2)(
        keras.layers.GlobalAveragePooling2D()(x)
    ),
    "LocalResponseNormalization": lambda x: layers.LocalResponseNormalization()(x),
    "LocalResponseNormalization_even": lambda x: layers.LocalResponseNormalization(
        4, divide_alpha=True
    )(x),
    "MaxPoolWithArgmax2D": pooled,
    "MaxUnpool2D": unpooled,
    "Maxout": lambda x: layers.Maxout(4)(x),
    "PadToMultiple2D": lambda x: layers.PadToMultiple2D(8, margin=10, remainder=3)(x),
    "PixelShuffle": lambda x: layers.PixelShuffle(2)(x),
    "PixelShuffle_CRD": lambda x: layers.PixelShuffle((1, 2), mode="CRD")(x),
    "PixelUnshuffle": lambda x: layers.PixelUnshuffle(2)(layers.PixelShuffle(4)(x)),
    "PointwiseConv2D": lambda x: layers.PointwiseConv2D(8, groups=2)(x),
    "RBFOutput": lambda x: layers.RBFOutput(10)(keras.layers.GlobalAveragePooling2D()(x)),
    "SCells2D": lambda x: layers.SCells2D(8, 3, threshold=0.1)(x),
    "SCells2D_cosine": lambda x: layers.SCells2D(4, 3, 0.0, power=0.0, strides=2, padding=1)(x),
    "SCells2D_root": lambda x: layers.SCells2D(4, (3, 2), 0.1, power=0.5, padding="valid")(x),
    "ScaledTanh": lambda x: layers.ScaledTanh()(x),
    "SeparableConv2D": lambda x: layers.SeparableConv2D(8, 3, padding="same")(x),
    "ShuntingCCells2D": lambda x: layers.ShuntingCCells2D()(keras.ops.relu(x)),
    "ShuntingCCells2D_output_size": lambda x: layers.ShuntingCCells2D(
        (2, 3), decay=0.9, output_size=(3, 4), spacing=1.6
    )(keras.ops.relu(x)),
    "ShuntingSCells2D": lambda x: layers.ShuntingSCells2D(
        4, 3, kernel_initializer=keras.initializers.RandomUniform(0.0, 0.02)
    )(keras.ops.relu(x)),
    "ShuntingSCells2D_output_size": lambda x: layers.ShuntingSCells2D(
        4,
        output_size=4,
        kernel_initializer=keras.initializers.RandomUniform(0.0, 0.01),
        inhibition_initializer=keras.initializers.Constant(0.5),
    )(keras.ops.relu(x)),
    "SqueezeExcite": lambda x: layers.SqueezeExcite(4)(x),
    "StochasticDepth": lambda x: layers.StochasticDepth(0.3)(x),
    "StochasticDepth_classic": lambda x: layers.StochasticDepth(0.3, mode="classic")(x),
    "SubpixelConv2D": lambda x: layers.SubpixelConv2D(4, 3, block_size=2)(x),
    "Subsampling2D": lambda x: layers.Subsampling2D(2, activation="tanh")(x),
    "Subsampling2D_same": lambda x: layers.Subsampling2D(3, strides=2, padding="same")(x),
}

# By day, one form of each layer where a case takes long
ONE_FORM_BY_DAY = every_night(EVERY_LAYER, {name for name in EVERY_LAYER if "_" not in name})


def model_of(name, shape=(None, None, 16)):
    """A model of one layer, the same one at every call."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input(shape)
    return keras.Model(inputs, EVERY_LAYER[name](inputs))
