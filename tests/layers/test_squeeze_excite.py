import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import SqueezeExcite
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

WEIGHTS = ["squeeze_kernel", "squeeze_bias", "excite_kernel", "excite_bias"]


def random_case(channels=6, hidden=3):
    rng = np.random.default_rng(0)
    x, dy = rng.normal(size=(2, 4, 5, 3, channels)).astype("float32")
    shapes = (channels, hidden), (hidden,), (hidden, channels), (channels,)
    return x, dy, [rng.normal(size=shape).astype("float32") for shape in shapes]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "arguments",
    [
        # Units below zero would not be trained by ReLU in one step.
        {"reduction": 2, "activation": "silu"},
        {"reduction": 16, "activation": None, "gate_activation": "hard_sigmoid"},
        {"reduction": 1, "activation": "silu", "use_bias": False},
    ],
)
def test_contract(arguments, data_format):
    shape = (2, 4, 5, 6) if data_format == "channels_last" else (2, 6, 4, 5)
    check_layer(SqueezeExcite, {**arguments, "data_format": data_format}, shape, shape)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_values_and_gradients_follow_the_formula(data_format):
    x, dy, weights = random_case()
    to = 1 if data_format == "channels_first" else -1
    expected = reference.squeeze_excite(x, *weights)
    gradients = reference.squeeze_excite_backward(dy, x, *weights)
    y, (dx, *dweights) = value_and_gradients(
        lambda *tensors: ops.squeeze_excite(*tensors, data_format=data_format),
        [np.moveaxis(x, -1, to), *weights],
        upstream=np.moveaxis(dy, -1, to),
    )
    np.testing.assert_allclose(y, np.moveaxis(expected, -1, to), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dx, np.moveaxis(gradients[0], -1, to), rtol=1e-4, atol=1e-5)
    for found, gradient in zip(dweights, gradients[1:], strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-4)


def test_reference_gradient_is_the_numeric_one():
    x, dy, weights = random_case()
    arrays = [array.astype("float64") for array in (x, *weights)]
    gradients = reference.squeeze_excite_backward(dy, *arrays)
    for array, gradient in zip(arrays, gradients, strict=True):
        index = tuple(size // 2 for size in array.shape)
        values = []
        for step in (1e-6, -1e-6):
            array[index] += step
            values.append((dy * reference.squeeze_excite(*arrays)).sum())
            array[index] -= step
        np.testing.assert_allclose(gradient[index], (values[0] - values[1]) / 2e-6, rtol=1e-5)


@pytest.mark.parametrize("use_bias", [True, False])
def test_equals_layers_of_keras(use_bias):
    x = random_case(channels=8)[0]
    ours = SqueezeExcite(4, use_bias=use_bias, bias_initializer="random_normal")
    y = ours(x)
    inputs = keras.Input(x.shape[1:])
    mean = keras.layers.GlobalAveragePooling2D()(inputs)
    hidden = keras.layers.Dense(2, activation="relu", use_bias=use_bias)(mean)
    gate = keras.layers.Dense(8, activation="sigmoid", use_bias=use_bias)(hidden)
    gate = keras.layers.Reshape((1, 1, 8))(gate)
    theirs = keras.Model(inputs, keras.layers.Multiply()([inputs, gate]))
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-6
    )


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    x, _, weights = random_case()
    kernel1, bias1, kernel2, bias2 = map(torch.from_numpy, weights)
    image = torch.from_numpy(np.moveaxis(x, -1, 1))
    hidden = torch.relu(torch.nn.functional.linear(image.mean((2, 3)), kernel1.T, bias1))
    gate = torch.sigmoid(torch.nn.functional.linear(hidden, kernel2.T, bias2))
    expected = (image * gate[:, :, None, None]).numpy()
    y = ops.squeeze_excite(x, *weights)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(y), np.moveaxis(expected, 1, -1), rtol=1e-4, atol=1e-5
    )


def test_weights():
    layer = SqueezeExcite()
    layer.build((None, 7, 7, 256))
    assert [weight.path.split("/")[-1] for weight in layer.weights] == WEIGHTS
    assert layer.count_params() == 2 * 256 * 16 + 16 + 256
    few = SqueezeExcite(use_bias=False)
    few.build((None, None, None, 3))
    assert [weight.shape for weight in few.weights] == [(3, 1), (1, 3)]


def test_the_kernels_are_drawn_independently():
    layer = SqueezeExcite(reduction=1)
    layer.build((None, 7, 7, 8))
    squeeze, _, excite, _ = layer.get_weights()
    assert np.abs(squeeze - excite).max() > 0.01


def test_the_mean_is_float32_under_mixed_precision():
    # The sum of these values overflows float16.
    x = np.full((1, 64, 64, 4), 100.0, "float16")
    layer = SqueezeExcite(
        1,
        activation=None,
        gate_activation=None,
        kernel_initializer="identity",
        dtype="mixed_float16",
    )
    y = keras.ops.convert_to_numpy(layer(x))
    np.testing.assert_allclose(y, np.full(x.shape, 100.0**2), rtol=1e-3)


def test_integers_become_floats():
    x, _, weights = random_case()
    x = (x * 10).astype("int32")
    y = keras.ops.convert_to_numpy(ops.squeeze_excite(x, *weights))
    np.testing.assert_allclose(y, reference.squeeze_excite(x, *weights), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("biased", [True, False])
def test_op_is_a_node_of_a_functional_model(biased, tmp_path):
    x, _, weights = random_case()
    if not biased:
        weights[1::2] = np.zeros_like(weights[1]), np.zeros_like(weights[3])
    arrays = [x, *weights] if biased else [x, *weights[::2]]
    inputs = [keras.Input((None, None, 6))]
    inputs += [keras.Input(batch_shape=weight.shape) for weight in arrays[1:]]
    tensors = inputs if biased else [*inputs[:2], None, inputs[2], None]
    y = ops.squeeze_excite(*tensors, activation=keras.activations.relu)
    model = keras.Model(inputs, y)
    assert model.output_shape == (None, None, None, 6)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again(arrays)),
        reference.squeeze_excite(x, *weights),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("index", "shape", "sentence"),
    [
        (0, (2, 4, 6), "`inputs` must have rank 4; got rank 3"),
        (1, (5, 3), r"`squeeze_kernel` must have the shape \(6, 3\); got shape \(5, 3\)"),
        (2, (6,), r"`squeeze_bias` must have the shape \(3,\); got shape \(6,\)"),
        (3, (6, 3), r"`excite_kernel` must have the shape \(3, 6\); got shape \(6, 3\)"),
        (4, (1,), r"`excite_bias` must have the shape \(6,\); got shape \(1,\)"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(index, shape, sentence):
    shapes = [(2, 4, 5, 6), (6, 3), (3,), (3, 6), (6,)]
    shapes[index] = shape
    with pytest.raises(ValueError, match=sentence):
        ops.squeeze_excite(*(np.zeros(shape, "float32") for shape in shapes))
    with pytest.raises(ValueError, match=sentence):
        ops.squeeze_excite(*(keras.Input(batch_shape=shape) for shape in shapes))


def test_wrong_inputs_of_the_layer_fail_alike_eagerly_and_symbolically():
    for x in (np.zeros((2, 4, 6), "float32"), keras.Input(batch_shape=(2, 4, 6))):
        with pytest.raises(ValueError, match="`inputs` must have rank 4; got rank 3"):
            SqueezeExcite()(x)
    with pytest.raises(ValueError, match="channels must be known; got shape"):
        SqueezeExcite()(keras.Input((4, 5, None)))


def test_wrong_arguments():
    with pytest.raises(
        ValueError, match="`reduction` must be an int of at least 1; got reduction="
    ):
        SqueezeExcite(reduction=0)
    with pytest.raises(ValueError, match="nonsense"):
        SqueezeExcite(activation="nonsense")
    with pytest.raises(ValueError, match="`data_format` must be one of"):
        SqueezeExcite(data_format="NHWC")
