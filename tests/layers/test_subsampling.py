import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import Subsampling2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("arguments", "size"),
    [
        ({}, (2, 3)),
        ({"pool_size": (2, 3), "strides": 1, "activation": ops.scaled_tanh}, (4, 5)),
        ({"pool_size": 3, "strides": 2, "padding": "same", "bias_initializer": "ones"}, (3, 4)),
        ({"kernel_initializer": "glorot_uniform", "kernel_regularizer": "l2"}, (2, 3)),
    ],
)
def test_contract(arguments, size, data_format):
    last = data_format == "channels_last"
    check_layer(
        Subsampling2D,
        {**arguments, "data_format": data_format},
        input_shape=(2, 5, 7, 3) if last else (2, 3, 5, 7),
        output_shape=(2, *size, 3) if last else (2, 3, *size),
    )


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("pool_size", "strides"), [(2, None), (3, None), (3, 2), (2, 1), ((2, 3), (3, 1)), (1, None)]
)
def test_values_and_gradients_follow_the_formula(pool_size, strides, padding):
    rng = np.random.default_rng(0)
    x, (kernel, bias) = rng.normal(size=(2, 7, 8, 3)), rng.normal(size=(2, 3))
    expected = reference.subsampling2d(x, kernel, bias, pool_size, strides, padding)
    dy = rng.normal(size=expected.shape)
    gradients = reference.subsampling2d_backward(dy, x, kernel, pool_size, strides, padding)
    for data_format in ("channels_last", "channels_first"):
        to = 1 if data_format == "channels_first" else -1
        options = (pool_size, strides, padding, data_format)
        arrays = [np.moveaxis(x, -1, to), kernel, bias]
        y, (dx, dkernel, dbias) = value_and_gradients(
            lambda *tensors, options=options: ops.subsampling2d(*tensors, *options),
            [array.astype("float32") for array in arrays],
            upstream=np.moveaxis(dy, -1, to),
        )
        np.testing.assert_allclose(y, np.moveaxis(expected, -1, to), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(dx, np.moveaxis(gradients[0], -1, to), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(dkernel, gradients[1], rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(dbias, gradients[2], rtol=1e-4, atol=1e-4)


def test_reference_gradient_is_the_numeric_one():
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=(2, 5, 4, 3)), *rng.normal(size=(2, 3))]
    dy = rng.normal(size=(2, 3, 2, 3))
    options = {"pool_size": 3, "strides": 2, "padding": "same"}
    gradients = reference.subsampling2d_backward(dy, *arrays[:2], **options)
    for array, gradient in zip(arrays, gradients, strict=True):
        for index in (0,) * array.ndim, tuple(size // 2 for size in array.shape):
            values = []
            for step in (1e-6, -1e-6):
                array[index] += step
                values.append((dy * reference.subsampling2d(*arrays, **options)).sum())
                array[index] -= step
            np.testing.assert_allclose(gradient[index], (values[0] - values[1]) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize(("pool_size", "strides"), [(2, None), (3, 2), ((2, 3), None)])
def test_begins_as_average_pooling(pool_size, strides):
    x = np.random.default_rng(0).normal(size=(2, 7, 8, 3)).astype("float32")
    theirs = keras.layers.AveragePooling2D(pool_size, strides)(x)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(Subsampling2D(pool_size, strides)(x)),
        keras.ops.convert_to_numpy(theirs),
        rtol=1e-4,
        atol=1e-6,
    )


def test_zeros_of_same_padding_count_nothing():
    # The last window holds one pixel: the sum is 1, the average pooling of Keras would give 4.
    y = ops.subsampling2d(np.ones((1, 3, 3, 1), "float32"), np.ones(1), np.zeros(1), padding="same")
    assert keras.ops.convert_to_numpy(y)[0, ..., 0].tolist() == [[4.0, 2.0], [2.0, 1.0]]


def test_weights_of_lenet5():
    # LeCun et al., 1998, section II.B: S2 has 12 trainable parameters and S4 32.
    for shape, parameters in (((None, 28, 28, 6), 12), ((None, 10, 10, 16), 32)):
        layer = Subsampling2D(activation=ops.scaled_tanh)
        layer.build(shape)
        assert [weight.path.split("/")[-1] for weight in layer.weights] == ["kernel", "bias"]
        assert layer.count_params() == parameters


def test_integers_become_floats():
    x = np.arange(16, dtype="uint8").reshape(1, 4, 4, 1)
    kernel, bias = np.ones((2, 1), "float32")
    y = keras.ops.convert_to_numpy(ops.subsampling2d(x, kernel, bias))
    np.testing.assert_allclose(y, reference.subsampling2d(x.astype("float32"), kernel, bias))


def test_op_is_a_node_of_a_functional_model(tmp_path):
    rng = np.random.default_rng(0)
    arrays = [
        a.astype("float32") for a in (rng.normal(size=(2, 5, 6, 3)), *rng.normal(size=(2, 3)))
    ]
    inputs = [keras.Input((None, None, 3)), *(keras.Input(batch_shape=(3,)) for _ in range(2))]
    model = keras.Model(inputs, ops.subsampling2d(*inputs, padding="same"))
    assert model.output_shape == (None, None, None, 3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again(arrays)),
        reference.subsampling2d(*arrays, padding="same"),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (
            ((1, 1, 8, 3), (3,), (3,)),
            r"The window must fit .*; got pool_size=\(2, 2\) on input shape",
        ),
        (
            ((1, 8, 8, 3), (1,), (3,)),
            r"`kernel` must have one value per channel; got shape \(1,\)",
        ),
        (
            ((1, 8, 8, 3), (3,), (1, 3)),
            r"`bias` must have one value per channel; got shape \(1, 3",
        ),
        (((1, 8, 3), (3,), (3,)), "`inputs` must have rank 4; got rank 3"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(shapes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.subsampling2d(*(np.zeros(shape, "float32") for shape in shapes))
    with pytest.raises(ValueError, match=sentence):
        ops.subsampling2d(*(keras.Input(batch_shape=shape) for shape in shapes))


def test_wrong_inputs_of_the_layer_fail_alike_eagerly_and_symbolically():
    for x in (np.zeros((1, 8, 1, 3), "float32"), keras.Input(batch_shape=(1, 8, 1, 3))):
        with pytest.raises(
            ValueError, match=r"The window must fit into the input .*\(1, 8, 1, 3\)"
        ):
            Subsampling2D()(x)
    with pytest.raises(ValueError, match="channels must be known; got shape"):
        Subsampling2D()(keras.Input((4, 5, None)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"pool_size": 0}, "`pool_size` must be an int or a pair of ints"),
        ({"strides": (1, 2, 3)}, "`strides` must be an int or a pair of ints"),
        ({"padding": "reflect"}, "one of 'valid', 'same'; got padding='reflect'"),
        ({"data_format": "NHWC"}, "`data_format` must be one of"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        Subsampling2D(**arguments)
    with pytest.raises(ValueError, match=sentence):
        ops.subsampling2d(np.zeros((1, 8, 8, 3), "float32"), np.ones(3), np.ones(3), **arguments)
