import math

import keras
import numpy as np
import pytest
from keras import layers

import kerascnn
from kerascnn import summary
from tests.models.summaries import branched, last, rows_by_name, sequential


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


@pytest.mark.parametrize(
    ("as_dict", "given"),
    [
        (False, ("zz", "aa")),
        (False, ("aa", "zz")),
        (False, ("aa", "extra", "zz")),
        (True, ("zz", "aa")),
    ],
)
def test_nested_models_get_their_inputs_by_name(as_dict, given):
    """`zz` is the first input of a list, and the last in the order of names."""
    zz, aa = keras.Input((None, None, 3), name="zz"), keras.Input((None, None, 1), name="aa")
    outputs = layers.Conv2D(2, 3, name="of_zz")(zz), layers.Conv2D(2, 5, name="of_aa")(aa)
    block = keras.Model({"zz": zz, "aa": aa} if as_dict else [zz, aa], outputs, name="block")
    images = {"zz": keras.Input((16, 16, 3)), "aa": keras.Input((20, 20, 1))}
    images["extra"] = keras.Input((5, 5, 7))
    model = keras.Model(list(images.values()), block({name: images[name] for name in given}))
    rows = rows_by_name(model)
    assert rows["block/of_zz"].output_shape == (None, 14, 14, 2)
    assert rows["block/of_aa"].output_shape == (None, 16, 16, 2)
    found = model([np.zeros((1, *x.shape[1:]), "float32") for x in model.inputs])
    assert [x.shape for x in found] == [(1, 14, 14, 2), (1, 16, 16, 2)]


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
    assert "at least 0 (unknown for 2 of 3 rows)" in str(found)


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
