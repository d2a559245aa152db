import math
from fractions import Fraction

import keras
import numpy as np
import pytest
from keras import layers

import kerascnn
from kerascnn import summary


def sequential(*parts, input_shape=(32, 32, 3)):
    return keras.Sequential([keras.Input(input_shape), *parts])


def rows_by_name(model, input_shape=None):
    return {row.name: row for row in summary(model, input_shape).rows}


def last(*parts, input_shape=(32, 32, 3)):
    return summary(sequential(*parts, input_shape=input_shape)).rows[-1]


def test_lenet5_of_1998_by_its_paper():
    # LeCun et al., 1998, section II.B: connections less biases, and F6 and the RBF units.
    found = summary(kerascnn.models.create_model("lenet5_1998"))
    counts = {row.name: row.multiply_adds for row in found.rows if row.multiply_adds}
    assert counts["stage1_conv"] == 122_304 - 28 * 28 * 6
    assert counts["stage2_conv"] == 151_600 - 10 * 10 * 16
    assert counts["head_dense1"] == 48_120 - 120
    assert counts["head_dense2"] == 10_164 - 84
    assert counts["distances"] == 840


def test_lenet5_by_hand():
    found = summary(kerascnn.models.create_model("lenet5"))
    assert found.name == "lenet5"
    assert [row.kind for row in found.rows[:3]] == ["InputLayer", "GroupConv2D", "MaxPooling2D"]
    assert [
        (row.name, row.output_shape, row.parameters, row.multiply_adds, row.receptive_field)
        for row in found.rows
    ] == [
        ("images", (None, 28, 28, 1), 0, 0, (1, 1)),
        ("stage1_conv", (None, 28, 28, 6), 156, 28 * 28 * 25 * 6, (5, 5)),
        ("stage1_pool", (None, 14, 14, 6), 0, 0, (6, 6)),
        ("stage2_conv", (None, 10, 10, 16), 2_416, 10 * 10 * 25 * 6 * 16, (14, 14)),
        ("stage2_pool", (None, 5, 5, 16), 0, 0, (16, 16)),
        ("flatten", (None, 400), 0, 0, None),
        ("head_dense1", (None, 120), 48_120, 400 * 120, None),
        ("head_dense2", (None, 84), 10_164, 120 * 84, None),
        ("logits", (None, 10), 850, 84 * 10, None),
    ]
    strides = [row.stride for row in found.rows]
    assert strides == [(1, 1), (1, 1), (2, 2), (2, 2), (4, 4), None, None, None, None]
    assert found.parameters == found.trainable_parameters == 61_706
    assert found.multiply_adds == 416_520


# Multiply-adds: He et al., 2016 (ResNet-50 3.8 G; VGG-16 15.3 G, which leaves out the 123,633,664
# of its dense layers), Howard et al., 2017 (569 M), Sandler et al., 2018 (300 M). Receptive fields
# of ResNet-50 and MobileNet: https://distill.pub/2019/computing-receptive-fields. The others by
# hand: VGG16 with windows of 3 and 2 has 1 + sum over its stages of (2 * convolutions + 1) * 2**i =
# 1 + 5 + 2 * 5 + 4 * 7 + 8 * 7 + 16 * 7; MobileNetV2, whose 3x3 windows meet strides
# of 1, 2, 2, 4, 4, 8, 8, 8, seven times 16 and three times 32, 1 + 2 * 245.
@pytest.mark.parametrize(
    ("name", "parameters", "multiply_adds", "layer", "field"),
    [
        ("VGG16", 138_357_544, 15_470_264_320, "block5_pool", 212),
        ("ResNet50", 25_636_712, 3_857_973_248, "conv5_block3_out", 483),
        ("MobileNet", 4_253_864, 568_740_352, "conv_pw_13_relu", 315),
        ("MobileNetV2", 3_538_984, 300_774_272, "out_relu", 491),
    ],
)
def test_published_numbers(name, parameters, multiply_adds, layer, field):
    model = getattr(keras.applications, name)(weights=None)
    found = summary(model)
    assert found.parameters == parameters == model.count_params()
    assert sum(row.parameters for row in found.rows) == parameters
    assert found.multiply_adds == multiply_adds
    (row,) = (row for row in found.rows if row.name == layer)
    assert row.receptive_field == (field, field)
    assert row.stride == (32, 32)
    trainable = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    assert found.trainable_parameters == trainable


@pytest.mark.parametrize(
    ("layer", "multiply_adds"),
    [
        (layers.Conv2D(8, 3), 30 * 30 * 9 * 3 * 8),
        (layers.Conv2D(8, (3, 5), strides=2, padding="same"), 16 * 16 * 15 * 3 * 8),
        (layers.Conv2D(6, 3, groups=3), 30 * 30 * 9 * 6),
        (layers.Conv2D(8, 3, dilation_rate=2), 28 * 28 * 9 * 3 * 8),
        (layers.DepthwiseConv2D(3, depth_multiplier=2), 30 * 30 * 9 * 6),
        (layers.SeparableConv2D(8, 3, depth_multiplier=2), 30 * 30 * (9 * 6 + 6 * 8)),
        (layers.Conv2DTranspose(8, 4, strides=2, padding="same"), 32 * 32 * 16 * 3 * 8),
        (layers.Dense(8), 32 * 32 * 3 * 8),
        (layers.EinsumDense("bhwc,cd->bhwd", (32, 32, 8)), 32 * 32 * 3 * 8),
        (layers.EinsumDense("...c,cd->...d", 8), 32 * 32 * 3 * 8),
        (layers.BatchNormalization(), 0),
        (layers.PReLU(), 0),
        (layers.MaxPooling2D(), 0),
        (kerascnn.layers.GroupConv2D(6, 3, groups=3), 30 * 30 * 9 * 6),
        (kerascnn.layers.BatchNormalization(), 0),
        (kerascnn.layers.Dropout(0.5), 0),
        (kerascnn.layers.PixelUnshuffle(2), 0),
        (kerascnn.layers.PointwiseConv2D(8), 32 * 32 * 3 * 8),
        (kerascnn.layers.DepthwiseConv2D(3), 30 * 30 * 9 * 3),
        (kerascnn.layers.SeparableConv2D(8, 3), 30 * 30 * (9 * 3 + 3 * 8)),
        (kerascnn.layers.Conv2DTranspose(8, 3, 2), 32 * 32 * 9 * 3 * 8),
        (kerascnn.layers.SubpixelConv2D(8, 3, 2), 32 * 32 * 9 * 3 * 8 * 4),
        (kerascnn.layers.FixedFilter2D("sharpen"), 32 * 32 * 3 * 9),
        (kerascnn.layers.BlurPool2D(), 16 * 16 * 3 * 9),
        (kerascnn.layers.SqueezeExcite(3), 3 * 1 + 1 * 3),
        (kerascnn.layers.RBFOutput(5), 32 * 32 * 3 * 5),
        (kerascnn.layers.Subsampling2D(), 0),
        (kerascnn.layers.MaxPoolWithArgmax2D(), 0),
        (layers.ConvLSTM1D(4, 3), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else None,
)
def test_multiply_adds(layer, multiply_adds):
    assert last(layer).multiply_adds == multiply_adds


@pytest.mark.parametrize(
    ("layer", "input_shape", "multiply_adds"),
    [
        (layers.Conv1D(8, 3), (32, 4), 30 * 3 * 4 * 8),
        (layers.DepthwiseConv1D(3), (32, 4), 30 * 3 * 4),
        (layers.Conv3D(8, 3), (8, 8, 8, 2), 6**3 * 27 * 2 * 8),
        (layers.Conv1DTranspose(8, 3), (32, 4), 32 * 3 * 4 * 8),
        (layers.Dense(8), (4,), 32),
        (layers.Embedding(10, 4), (7,), 0),
        (layers.LSTM(4), (7, 3), None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, keras.Layer) else None,
)
def test_what_is_no_image_has_multiply_adds_and_no_receptive_field(
    layer, input_shape, multiply_adds
):
    row = last(layer, input_shape=input_shape)
    assert (row.multiply_adds, row.receptive_field, row.stride) == (multiply_adds, None, None)


@pytest.mark.parametrize(
    ("parts", "field", "stride"),
    [
        ([layers.Conv2D(4, 3), layers.Conv2D(4, 3)], (5, 5), (1, 1)),
        ([layers.Conv2D(4, (3, 1), strides=(2, 1)), layers.Conv2D(4, (3, 5))], (7, 5), (2, 1)),
        # k = 3 dilated by 1, 2 and 4: 1 + 2 + 4 + 8
        ([layers.Conv2D(4, 3, dilation_rate=d) for d in (1, 2, 4)], (15, 15), (1, 1)),
        ([layers.AveragePooling2D(3, 2), layers.MaxPooling2D(2)], (5, 5), (4, 4)),
        ([layers.SeparableConv2D(4, 3), layers.DepthwiseConv2D(5)], (7, 7), (1, 1)),
        ([layers.ZeroPadding2D(), layers.Cropping2D(), layers.ReLU()], (1, 1), (1, 1)),
        ([layers.Dense(4), layers.Softmax()], (1, 1), (1, 1)),
        ([layers.Conv2DTranspose(4, 4, 2)], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.Conv2DTranspose(4, 2, 2), layers.Conv2D(4, 3)], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.UpSampling2D(3), layers.Conv2D(4, 3)], (2, 2), (Fraction(1, 3),) * 2),
        ([layers.UpSampling2D(2, interpolation="bilinear")], (2, 2), (Fraction(1, 2),) * 2),
        ([layers.UpSampling2D(3), layers.MaxPooling2D(3)], (2, 2), (1, 1)),
        ([layers.MaxPooling2D(4), layers.Conv2DTranspose(4, 3, 2)], (8, 8), (2, 2)),
        ([layers.Conv2D(4, 3), kerascnn.layers.PixelShuffle(2)], (3, 3), (Fraction(1, 2),) * 2),
        ([kerascnn.layers.PixelUnshuffle((2, 4)), layers.Conv2D(4, 3)], (6, 12), (2, 4)),
        ([kerascnn.layers.SubpixelConv2D(4, 5, (2, 1))], (5, 5), (Fraction(1, 2), 1)),
        ([kerascnn.layers.BlurPool2D(5, 2), kerascnn.layers.Subsampling2D(2)], (7, 7), (4, 4)),
        ([kerascnn.layers.FixedFilter2D("gaussian_blur_5x5")], (5, 5), (1, 1)),
        ([kerascnn.layers.MaxPoolWithArgmax2D(3, 2)], (3, 3), (2, 2)),
        ([layers.MaxPooling2D(), kerascnn.layers.SqueezeExcite(3)], (math.inf,) * 2, (2, 2)),
        ([kerascnn.layers.Maxout(1), kerascnn.layers.ChannelShuffle(1)], (1, 1), (1, 1)),
        ([kerascnn.layers.ScaledTanh(), kerascnn.layers.StochasticDepth(0.1)], (1, 1), (1, 1)),
        ([layers.GroupNormalization(1), layers.LayerNormalization()], (1, 1), (1, 1)),
        ([layers.Reshape((16, 64, 3))], None, None),
        ([layers.Conv2D(4, 3), layers.GlobalAveragePooling2D()], None, None),
        ([layers.GlobalMaxPooling2D(keepdims=True)], (math.inf, math.inf), None),
    ],
)
def test_receptive_field_and_stride(parts, field, stride):
    row = last(*parts)
    assert (row.receptive_field, row.stride) == (field, stride)


# The empirical check: with kernels of ones, and images of a single white pixel, the output's pixels
# in the middle are above zero exactly where they see the white one.
@pytest.mark.parametrize(
    "parts",
    [
        [layers.Conv2D(2, 3, strides=2), layers.Conv2D(2, (3, 2)), layers.AveragePooling2D(2)],
        [layers.Conv2D(2, 2, dilation_rate=3), layers.MaxPooling2D(3, 1), layers.Conv2D(1, 1)],
        [layers.SeparableConv2D(2, 3), layers.MaxPooling2D(2), layers.Conv2DTranspose(1, 5, 2)],
        [layers.Conv2D(2, 3, 2), layers.UpSampling2D(2), layers.Conv2D(1, 3)],
        [layers.UpSampling2D(2, interpolation="bilinear"), layers.Conv2D(1, 3)],
        [layers.Conv2D(4, 3, 2), kerascnn.layers.PixelShuffle(2), layers.Conv2D(1, 3)],
    ],
)
def test_receptive_field_is_what_a_pixel_sees(parts):
    size = 17
    model = sequential(*parts, input_shape=(size, size, 1))
    model.set_weights([np.full(w.shape, float(len(w.shape) > 1)) for w in model.weights])
    images = np.eye(size**2).reshape(-1, size, size, 1)
    y = keras.ops.convert_to_numpy(model(images))
    row, column = y.shape[1] // 2, y.shape[2] // 2
    extents = []
    for i, j in np.ndindex(2, 2):  # after upsampling the extent differs from pixel to pixel
        seen = y[:, row + i, column + j].max(axis=-1).reshape(size, size) > 0
        extents.append([np.ptp(indices) + 1 for indices in np.nonzero(seen)])
    assert summary(model).rows[-1].receptive_field == tuple(np.max(extents, axis=0))


def branched(size=32):
    inputs = keras.Input((size, size, 3), name="images")
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    long = layers.Conv2D(4, 3, padding="same", name="conv1")(x)
    long = layers.Conv2D(4, 3, padding="same", name="conv2")(long)
    x = layers.Add(name="add")([x, long])
    wide = layers.Conv2D(4, 1, strides=2, name="shortcut")(x)
    deep = layers.MaxPooling2D(name="pool")(x)
    x = layers.Concatenate(name="join")([wide, deep])
    return keras.Model(inputs, x)


def test_branches_give_the_largest_field():
    rows = rows_by_name(branched())
    fields = {name: row.receptive_field[0] for name, row in rows.items()}
    assert fields == {
        "images": 1,
        "stem": 3,
        "conv1": 5,
        "conv2": 7,
        "add": 7,
        "shortcut": 7,
        "pool": 8,
        "join": 8,
    }
    assert rows["join"].stride == (2, 2)
    assert list(rows) == [layer.name for layer in branched().layers]


def test_unpooling_undoes_the_stride_of_pooling():
    inputs = keras.Input((None, None, 2))
    x = layers.Conv2D(2, 3, name="conv")(inputs)
    pooled, indices = kerascnn.layers.MaxPoolWithArgmax2D(2, name="pool")(x)
    pooled = layers.Conv2D(2, 3, padding="same", name="deep")(pooled)
    rows = rows_by_name(
        keras.Model(inputs, kerascnn.layers.MaxUnpool2D(2, name="unpool")([pooled, indices, x]))
    )
    shape = (None, None, None, 2)
    assert rows["pool"].output_shape == (shape, shape)
    assert [rows[name].receptive_field[0] for name in ("conv", "pool", "deep")] == [3, 4, 8]
    assert rows["unpool"].receptive_field == (8, 8)
    assert rows["unpool"].stride == (1, 1)


def test_operations_are_rows_too():
    inputs = keras.Input((8, 8, 3))
    x = layers.Conv2D(3, 3, padding="same")(inputs)
    mean = keras.ops.mean(x, axis=(1, 2), keepdims=True)
    found = summary(keras.Model(inputs, keras.ops.relu(x + inputs) * mean))
    assert [row.kind for row in found.rows[1:]] == [
        "Conv2D",
        "Add",
        "Mean",
        "Relu",
        "Multiply",
    ] or [row.kind for row in found.rows[1:]] == ["Conv2D", "Add", "Relu", "Mean", "Multiply"]
    fields = {row.kind: (row.receptive_field, row.stride) for row in found.rows}
    everything = (math.inf, math.inf)
    assert fields["Relu"] == ((3, 3), (1, 1))
    assert fields["Mean"] == (everything, None)
    assert fields["Multiply"] == (everything, (1, 1))
    assert "all x all" in str(found)


@pytest.mark.parametrize(
    ("operation", "field"),
    [
        (lambda x: keras.ops.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)]), (3, 3)),
        (lambda x: keras.ops.concatenate([x, x], axis=-1), (3, 3)),
        (lambda x: keras.ops.max(x, axis=-1, keepdims=True), (3, 3)),
        (lambda x: keras.ops.split(x, 2, axis=-1)[1], (3, 3)),
        (lambda x: keras.ops.max(x, axis=1, keepdims=True), None),
        (lambda x: keras.ops.softmax(x, axis=(1, 2)), (math.inf, math.inf)),
        (lambda x: keras.ops.max_pool(x, 2, 2), (4, 4)),
        (lambda x: keras.ops.transpose(x, (0, 2, 1, 3))[:, ::2], None),
    ],
)
def test_fields_of_operations(operation, field):
    inputs = keras.Input((9, 9, 3))
    model = keras.Model(inputs, operation(layers.Conv2D(4, 3)(inputs)))
    assert summary(model).rows[-1].receptive_field == field


def test_products_of_activations_are_not_counted():
    inputs = keras.Input((4, 8))
    x = layers.Dense(8, name="dense")(inputs)
    x = layers.Dot(axes=2)([x, x])
    found = summary(keras.Model(inputs, keras.ops.matmul(x, inputs)))
    assert [row.multiply_adds for row in found.rows] == [0, 4 * 8 * 8, None, None]
    assert found.multiply_adds == 4 * 8 * 8
    assert "at least 256 (not known of 2 of 4 rows)" in str(found)


def test_shared_layers_are_counted_once_and_paid_for_twice():
    shared = layers.Conv2D(3, 3, padding="same", name="shared")
    inputs = keras.Input((8, 8, 3))
    model = keras.Model(inputs, shared(shared(inputs)))
    found = summary(model)
    assert [row.name for row in found.rows[1:]] == ["shared", "shared"]
    assert [row.parameters for row in found.rows[1:]] == [84, 0]
    assert [row.receptive_field for row in found.rows[1:]] == [(3, 3), (5, 5)]
    assert found.parameters == 84
    assert found.multiply_adds == 2 * 8 * 8 * 9 * 3 * 3


def test_several_inputs_and_outputs():
    left, right = keras.Input((16, 16, 3), name="left"), keras.Input((16, 16, 1), name="right")
    vector = keras.Input((5,), name="vector")
    x = layers.Concatenate()([layers.Conv2D(4, 3, padding="same")(left), right])
    gate = layers.Reshape((1, 1, 5))(layers.Dense(5)(vector))
    x = layers.Multiply(name="gated")([x, gate])
    outputs = {"map": x, "score": layers.Dense(1, name="score")(layers.Flatten()(x))}
    model = keras.Model({"left": left, "right": right, "vector": vector}, outputs)
    rows = rows_by_name(model)
    assert rows["gated"].receptive_field == (3, 3)  # the vector is no part of the image
    assert rows["score"].receptive_field is None
    assert rows["vector"].output_shape == (None, 5)
    larger = rows_by_name(model, [(16, 16, 3), (16, 16, 1), (5,)])
    assert larger == rows
    with pytest.raises(ValueError, match="rank of the model's inputs"):
        summary(model, (16, 16, 3))


def nested(head):
    encoder = keras.Sequential(
        [keras.Input((None, None, 3)), layers.Conv2D(4, 3, strides=2, name="conv")], name="encoder"
    )
    inputs = keras.Input((17, 17, 3))
    block_input = keras.Input((None, None, 4))
    block = keras.Model(
        block_input, layers.Add()([block_input, layers.Conv2D(4, 3, padding="same")(block_input)]),
        name="block",
    )  # fmt: skip
    return keras.Model(inputs, head(block(block(encoder(inputs)))))


def test_nested_models_are_opened():
    found = summary(nested(layers.Conv2D(2, 1, name="head")))
    names = [row.name for row in found.rows]
    assert names[1] == "encoder/conv"
    assert [name.split("/")[0] for name in names[2:]] == ["block"] * 4 + ["head"]
    assert found.rows[-1].receptive_field == (11, 11)  # 3, then twice + 2 * 2
    assert found.rows[-1].stride == (2, 2)
    assert found.rows[1].output_shape == (None, 8, 8, 4)
    assert found.multiply_adds == 64 * (27 * 4 + 2 * 36 * 4 + 4 * 2)
    assert found.parameters == sum(row.parameters for row in found.rows) == 112 + 148 + 10


@keras.saving.register_keras_serializable(package="test_summary")
class Block(keras.layers.Layer):
    """A residual block of two convolutions."""

    def build(self, shape):
        self.conv1 = layers.Conv2D(4, 3, padding="same")
        self.norm = layers.BatchNormalization()
        self.conv2 = layers.Conv2D(shape[-1], 3, padding="same")
        self.conv1.build(shape)
        self.norm.build((*shape[:-1], 4))
        self.conv2.build((*shape[:-1], 4))

    def call(self, x, training=None):
        y = keras.ops.relu(self.norm(self.conv1(x), training=training))
        return x + self.conv2(y)

    def compute_output_shape(self, shape):
        return shape


class Scale(keras.layers.Layer):
    """A layer with a weight of its own."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],))

    def call(self, x):
        return x * self.scale

    def compute_output_shape(self, shape):
        return shape


class Secret(Scale):
    """A layer whose call takes no symbolic tensors."""

    def call(self, x):
        return x * float(keras.ops.sum(x))


def test_layers_of_layers_are_looked_into():
    model = sequential(Block(name="block"), input_shape=(8, 8, 3))
    sublayer = model.layers[0].conv1
    before = len(sublayer._inbound_nodes), len(sublayer._outbound_nodes)
    found = summary(model)
    row = found.rows[-1]
    assert (row.name, row.kind) == ("block", "Block")
    assert row.multiply_adds == 64 * (27 * 4 + 36 * 3)
    assert row.receptive_field == (5, 5)
    assert row.parameters == found.parameters == 112 + 16 + 111
    assert found.trainable_parameters == found.parameters - 8
    assert (len(sublayer._inbound_nodes), len(sublayer._outbound_nodes)) == before
    assert summary(model) == found


def test_unknown_layers_say_so():
    rows = rows_by_name(
        sequential(layers.Conv2D(4, 3), Scale(name="scale"), Secret(name="secret"), layers.ReLU())
    )
    assert rows["scale"].multiply_adds is None
    assert rows["scale"].receptive_field == (3, 3)
    assert rows["secret"].multiply_adds is None
    assert rows["secret"].receptive_field is None
    assert rows["secret"].parameters == 4


class Window(keras.layers.Layer):
    """A pooling that only its attributes describe."""

    def __init__(self, factor, **kwargs):
        super().__init__(**kwargs)
        self.pool_size = self.strides = 2
        self.factor = factor

    def call(self, x):
        return x

    def compute_output_shape(self, shape):
        sizes = (size if size is None else int(size * self.factor) for size in shape[1:3])
        return shape[0], *sizes, shape[3]


@pytest.mark.parametrize(
    ("factor", "field", "stride"), [(0.5, (12, 12), (4, 4)), (2, (4, 4), (1, 1))]
)
def test_windows_are_known_by_their_attributes(factor, field, stride):
    parts = [layers.MaxPooling2D(), Window(factor), layers.Conv2D(1, 3)]
    row = last(*parts, input_shape=(32, 32, 1))
    assert (row.receptive_field, row.stride) == (field, stride)
    # Whether it goes up or down, nothing tells here.
    assert last(*parts, input_shape=(None, None, 1)).receptive_field is None


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__(name="subclassed")
        self.conv = layers.Conv2D(4, 3, name="conv")
        self.act = layers.ReLU(name="act")
        self.head = layers.Dense(2, name="head")

    def call(self, images):
        x = self.act(self.conv(images))
        return self.head(keras.ops.mean(x, axis=(1, 2)))


def test_subclassed_models_list_their_layers():
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    found = summary(model)
    assert [(row.name, row.parameters, row.multiply_adds) for row in found.rows] == [
        ("conv", 112, None),
        ("act", 0, 0),
        ("head", 10, None),
    ]
    assert {(row.output_shape, row.receptive_field, row.stride) for row in found.rows} == {
        (None, None, None)
    }
    assert found.parameters == 122
    assert "at least 0 (not known of 2 of 3 rows)" in str(found)


def test_subclassed_models_are_followed_when_the_input_shape_is_given():
    model = Subclassed()
    model(np.zeros((1, 8, 8, 3), "float32"))
    found = summary(model, (16, 16, 3))
    rows = {row.name: row for row in found.rows}
    assert rows["conv"].output_shape == (None, 14, 14, 4)
    assert rows["act"].receptive_field == (3, 3)
    assert rows["head"].receptive_field is None
    assert found.multiply_adds == 14 * 14 * 27 * 4 + 4 * 2


def test_unknown_size():
    model = sequential(layers.Conv2D(4, 3, name="conv"), layers.ReLU(), input_shape=(None, None, 3))
    found = summary(model)
    assert found.rows[1].multiply_adds is None
    assert found.rows[1].receptive_field == (3, 3)
    assert found.rows[1].output_shape == (None, None, None, 4)
    assert str(found).splitlines()[3].split()[-8:] == ["112", "?", "3", "x", "3", "1", "x", "1"]
    sized = summary(model, (10, 12, 3))
    assert sized.multiply_adds == 8 * 10 * 27 * 4
    assert sized.rows[1].output_shape == (None, 8, 10, 4)
    assert model.input_shape == (None, None, None, 3)


def test_another_input_shape():
    model = branched()
    assert summary(model, (64, 64, 3)).multiply_adds == 4 * summary(model).multiply_adds
    assert summary(model, (32, 32, 3)) == summary(model)


@pytest.mark.parametrize(
    "input_shape", [(40, 40, 1), (28, 28, 3), (4, 4, 1), (28, 28), 28, (28, -1, 1), "28,28,1"]
)
def test_input_shape_that_the_model_does_not_take(input_shape):
    with pytest.raises(ValueError, match=r"`input_shape` must .* got input_shape=") as error:
        summary(kerascnn.models.create_model("lenet5"), input_shape)
    assert "\n" not in str(error.value)


def test_channels_first():
    options = {"data_format": "channels_first", "padding": "same"}
    parts = [
        layers.Conv2D(4, (3, 5), strides=(2, 1), **options),
        layers.Softmax(axis=1),
        layers.MaxPooling2D((1, 2), **options),
    ]
    row = last(*parts, input_shape=(3, 16, 16))
    assert row.output_shape == (None, 4, 8, 8)
    assert row.receptive_field == (3, 6)
    assert row.stride == (2, 2)
    found = summary(sequential(*parts, input_shape=(3, 16, 16)))
    assert found.multiply_adds == 8 * 16 * 15 * 3 * 4


def test_fixed_batch_is_left_out():
    inputs = keras.Input(batch_shape=(7, 8, 8, 3))
    found = summary(keras.Model(inputs, layers.Conv2D(4, 3)(inputs)))
    assert found.multiply_adds == 36 * 27 * 4
    assert found.rows[0].output_shape == (7, 8, 8, 3)


@pytest.mark.parametrize("model", [keras.Sequential([layers.Dense(2)]), Subclassed()])
def test_a_model_must_be_built(model):
    with pytest.raises(ValueError, match=r"^`model` must be built, .*without weights\.$"):
        summary(model)


def test_a_model_must_be_one():
    with pytest.raises(ValueError, match="must be a `keras.Model`; got str"):
        summary("lenet5")


def test_table(capsys):
    found = summary(kerascnn.models.create_model("lenet5"))
    print(found)
    printed = capsys.readouterr().out.rstrip("\n")
    assert printed == repr(found) == TABLE.strip("\n")


TABLE = """
layer         kind           output shape         parameters   multiply-adds   receptive field   stride
-------------------------------------------------------------------------------------------------------
images        InputLayer     (None, 28, 28, 1)             0               0             1 x 1    1 x 1
stage1_conv   GroupConv2D    (None, 28, 28, 6)           156         117,600             5 x 5    1 x 1
stage1_pool   MaxPooling2D   (None, 14, 14, 6)             0               0             6 x 6    2 x 2
stage2_conv   GroupConv2D    (None, 10, 10, 16)        2,416         240,000           14 x 14    2 x 2
stage2_pool   MaxPooling2D   (None, 5, 5, 16)              0               0           16 x 16    4 x 4
flatten       Flatten        (None, 400)                   0               0                 -        -
head_dense1   Dense          (None, 120)              48,120          48,000                 -        -
head_dense2   Dense          (None, 84)               10,164          10,080                 -        -
logits        Dense          (None, 10)                  850             840                 -        -

parameters:     61,706 (61,706 trainable)
multiply-adds:  416,520 for one image
"""  # noqa: E501


def test_a_table_is_never_cut():
    name = "a_name_" * 40 + "[bold]"
    model = sequential(layers.Conv2D(2, 1, name=name), input_shape=(None, None, 3))
    assert name in str(summary(model))


def test_mixed_precision_is_no_difference():
    def model(dtype):
        return sequential(layers.Conv2D(4, 3, dtype=dtype, name="conv"), Block(name="block"))

    assert summary(model("mixed_bfloat16")).multiply_adds == summary(model("float32")).multiply_adds


def test_skip_connections_hide_nothing():
    inputs = keras.Input((16, 16, 4))
    conv = {"kernel_size": 3, "padding": "same"}
    x = kerascnn.layers.residual_connection(inputs, kerascnn.layers.GroupConv2D(4, **conv))
    x = kerascnn.layers.dense_connection(x, kerascnn.layers.GroupConv2D(2, **conv))
    found = kerascnn.summary(keras.Model(inputs, x))
    assert "?" not in str(found)
    assert found.multiply_adds == 16 * 16 * 9 * (4 * 4 + 4 * 2)
    assert found.rows[-1].receptive_field == (5, 5)
