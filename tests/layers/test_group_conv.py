import itertools

import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import GroupConv2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


def random_case(height, width, channels, filters, groups, kernel_size, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(2, height, width, channels)).astype("float32")
    kernel = rng.normal(size=(*kernel_size, channels // groups, filters)).astype("float32")
    return x, kernel


# Every form of the TensorFlow rule (plain, one channel per group, two, more; channel multiplier;
# pointwise; strides that differ; dilation) with kernels that do and do not divide evenly.
CASES = {
    "one_group": ((6, 7, 4, 6, 1, (3, 3)), {}),
    "groups": ((6, 7, 6, 9, 3, (3, 3)), {"padding": "same"}),
    "pairs_of_channels": ((6, 7, 16, 24, 8, (3, 2)), {"padding": "same"}),
    "depthwise": ((6, 7, 6, 6, 6, (3, 3)), {"padding": "same", "strides": (2, 2)}),
    "depthwise_multiplier": ((6, 7, 4, 12, 4, (2, 3)), {"dilation_rate": (2, 2)}),
    "depthwise_uneven_strides": ((6, 7, 4, 8, 4, (3, 3)), {"strides": (2, 1)}),
    "pointwise": ((4, 5, 8, 16, 2, (1, 1)), {}),
    "strides": ((9, 8, 8, 4, 2, (3, 5)), {"padding": "same", "strides": (2, 3)}),
    "dilation": ((9, 8, 8, 12, 4, (3, 2)), {"padding": "same", "dilation_rate": (1, 2)}),
    "strides_and_dilation": (
        (9, 8, 8, 12, 4, (3, 2)),
        {"padding": "same", "strides": (2, 3), "dilation_rate": (2, 1)},
    ),
    "zeros": ((6, 7, 4, 6, 2, (3, 3)), {"padding": ((0, 2), (1, 0)), "strides": (2, 1)}),
    "zeros_like_same": ((6, 7, 4, 6, 2, (3, 3)), {"padding": 2, "dilation_rate": (2, 2)}),
    "wide": ((3, 3, 128, 64, 16, (3, 3)), {"padding": "same"}),
}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_contract(data_format):
    last = data_format == "channels_last"
    check_layer(
        GroupConv2D,
        {"filters": 6, "kernel_size": 3, "groups": 2, "data_format": data_format},
        input_shape=(2, 5, 6, 4) if last else (2, 4, 5, 6),
        output_shape=(2, 3, 4, 6) if last else (2, 6, 3, 4),
    )


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_follow_the_formula(case, data_format):
    sizes, options = CASES[case]
    x, kernel = random_case(*sizes)
    view = np.asarray if data_format == "channels_last" else lambda a: np.moveaxis(a, -1, 1)
    names = {"padding": "padding", "strides": "strides", "dilation_rate": "dilation"}
    loops = {names[name]: value for name, value in options.items()}
    expected = reference.group_conv2d(x, kernel, **loops)
    dy = np.random.default_rng(1).normal(size=expected.shape).astype("float32")
    dx, dkernel = reference.group_conv2d_backward(dy, x, kernel, **loops)

    y, gradients = value_and_gradients(
        lambda x, kernel: ops.group_conv2d(x, kernel, data_format=data_format, **options),
        [view(x), kernel],
        upstream=view(dy),
    )
    np.testing.assert_allclose(y, view(expected), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[0], view(dx), rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(gradients[1], dkernel, rtol=1e-4, atol=1e-4)


def test_reference_gradient_is_the_numeric_one():
    x, kernel = random_case(4, 5, 4, 6, 2, (3, 2))
    x, kernel = x.astype("float64"), kernel.astype("float64")
    dy = np.random.default_rng(1).normal(size=reference.group_conv2d(x, kernel).shape)
    dx, dkernel = reference.group_conv2d_backward(dy, x, kernel)
    for array, gradient in ((x, dx), (kernel, dkernel)):
        for index in [(0,) * 4, (1, 1, 1, 1), tuple(size - 1 for size in array.shape)]:
            if any(i >= size for i, size in zip(index, array.shape, strict=True)):
                continue
            values = []
            for step in (1e-6, -1e-6):
                array[index] += step
                values.append((dy * reference.group_conv2d(x, kernel)).sum())
                array[index] -= step
            np.testing.assert_allclose(gradient[index], (values[0] - values[1]) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize(
    ("groups", "padding", "strides", "dilation_rate"),
    [
        (groups, padding, strides, dilation_rate)
        for groups, padding, (strides, dilation_rate) in itertools.product(
            (1, 2, 4, 8), ("same", "valid"), ((1, 1), (2, 1), (1, 2))
        )
    ],
)
def test_equals_keras_conv2d(groups, padding, strides, dilation_rate):
    arguments = {
        "filters": 16,
        "kernel_size": 3,
        "groups": groups,
        "padding": padding,
        "strides": strides,
        "dilation_rate": dilation_rate,
        "activation": "relu",
        "bias_initializer": "random_normal",
    }
    theirs, ours = keras.layers.Conv2D(**arguments), GroupConv2D(**arguments)
    x = np.random.default_rng(0).normal(size=(2, 9, 8, 8)).astype("float32")
    expected = theirs(x)
    ours.build(x.shape)
    assert [w.path.split("/")[-1] for w in ours.weights] == ["kernel", "bias"]
    ours.set_weights(theirs.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ours(x)),
        keras.ops.convert_to_numpy(expected),
        rtol=1e-4,
        atol=1e-5,
    )


def test_takes_over_a_config_of_keras_conv2d():
    theirs = keras.layers.Conv2D(8, (3, 2), groups=2, padding="same", use_bias=False)
    ours = GroupConv2D.from_config(theirs.get_config())
    assert ours.get_config() == theirs.get_config()


def test_op_is_a_node_of_a_functional_model():
    x, kernel = random_case(6, 7, 8, 12, 4, (3, 3))
    inputs = [keras.Input((None, None, 8)), keras.Input(batch_shape=kernel.shape)]
    model = keras.Model(inputs, ops.group_conv2d(*inputs, padding="same"))
    assert model.output_shape == (None, None, None, 12)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(model([x, kernel])),
        reference.group_conv2d(x, kernel, padding="same"),
        rtol=1e-4,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    ("kernel_shape", "options", "sentence"),
    [
        ((3, 3, 4, 6), {}, "got 4 of 6 channels"),
        ((3, 3, 2, 7), {}, "got 3 groups and 7 filters"),
        ((3, 2, 6), {}, r"got kernel shape \(3, 2, 6\)"),
        ((9, 9, 6, 6), {}, r"got kernel size \(9, 9\)"),
        ((3, 3, 6, 6), {"padding": (1, -1)}, r"got padding=\(1, -1\)"),
        ((3, 3, 6, 6), {"padding": ((1, 2), (3, 4, 5))}, r"got padding=\(\(1, 2\)"),
        ((3, 3, 6, 6), {"padding": "sane"}, "got padding='sane'"),
        ((3, 3, 6, 6), {"strides": 0}, "got strides=0"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(kernel_shape, options, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.group_conv2d(np.zeros((1, 5, 5, 6)), np.zeros(kernel_shape), **options)
    with pytest.raises(ValueError, match=sentence):
        ops.group_conv2d(
            keras.Input(batch_shape=(1, 5, 5, 6)), keras.Input(batch_shape=kernel_shape), **options
        )


@pytest.mark.parametrize("channels", [2, 6])
def test_groups_must_divide_the_channels(channels):
    with pytest.raises(ValueError, match=f"groups=4 with {channels} channels"):
        GroupConv2D(12, 3, groups=4).compute_output_shape((None, 8, 8, channels))
    with pytest.raises(ValueError, match="groups=4"):
        GroupConv2D(12, 3, groups=4)(np.zeros((1, 8, 8, channels), "float32"))
