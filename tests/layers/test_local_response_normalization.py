import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import LocalResponseNormalization
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

# Constants under which the energy counts; under the paper's, x is hardly more than scaled.
STRONG = {"size": 3, "alpha": 0.5, "beta": 0.75, "k": 1.5}
CASES = {
    "paper": {},
    "strong": STRONG,
    "even": {**STRONG, "size": 4},
    "one": {**STRONG, "size": 1},
    "wider_than_the_image": {**STRONG, "size": 17},
    "mean": {**STRONG, "divide_alpha": True},
    "other_power": {**STRONG, "beta": 1.3},
    "negative_power": {**STRONG, "beta": -0.5},
    "nothing": {**STRONG, "alpha": 0.0},
}
SHAPES = {"vectors": (4, 7), "sequences": (2, 5, 7), "images": (2, 3, 4, 7)}


def of_reference(size=5, alpha=1e-4, beta=0.75, k=2.0, divide_alpha=False):
    return {"size": size, "a": alpha / size if divide_alpha else alpha, "beta": beta, "k": k}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("case", ["paper", "mean", "even"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_contract(shape, case, data_format):
    if data_format == "channels_first":
        shape = (shape[0], shape[-1], *shape[1:-1])
    arguments = {**CASES[case], "data_format": data_format}
    check_layer(LocalResponseNormalization, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("case", CASES)
def test_values_and_gradients_follow_the_formula(case, shape):
    x, dy = np.random.default_rng(0).normal(size=(2, *shape))
    expected = reference.local_response_normalization(x, **of_reference(**CASES[case]))
    dx = reference.local_response_normalization_backward(dy, x, **of_reference(**CASES[case]))
    for data_format in ("channels_last", "channels_first"):
        to = 1 if data_format == "channels_first" else -1
        layer = LocalResponseNormalization(**CASES[case], data_format=data_format)
        y, (gradient,) = value_and_gradients(
            layer,
            [np.moveaxis(x, -1, to).astype("float32")],
            upstream=np.moveaxis(dy, -1, to),
        )
        np.testing.assert_allclose(y, np.moveaxis(expected, -1, to), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(gradient, np.moveaxis(dx, -1, to), rtol=1e-4, atol=1e-5)


def test_reference_gradient_is_the_numeric_one():
    x, dy = np.random.default_rng(0).normal(size=(2, 2, 6))
    for case in ("strong", "even"):
        arguments = of_reference(**CASES[case])
        dx = reference.local_response_normalization_backward(dy, x, **arguments)
        for index in np.ndindex(x.shape):
            values = []
            for step in (1e-6, -1e-6):
                moved = x.copy()
                moved[index] += step
                values.append(
                    (dy * reference.local_response_normalization(moved, **arguments)).sum()
                )
            np.testing.assert_allclose(dx[index], (values[0] - values[1]) / 2e-6, rtol=1e-6)


@pytest.mark.parametrize("size", [1, 3, 5, 11])
def test_equals_tensorflow(size):
    import tensorflow as tf

    x, dy = np.random.default_rng(0).normal(scale=5.0, size=(2, 2, 3, 4, 8)).astype("float32")
    constants = {"alpha": 0.02, "beta": 0.6}
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        expected = tf.nn.local_response_normalization(variable, size // 2, bias=1.2, **constants)
    dx = tape.gradient(expected, variable, dy)
    layer = LocalResponseNormalization(size, k=1.2, **constants)
    y, (gradient,) = value_and_gradients(layer, [x], upstream=dy)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradient, dx, rtol=1e-4, atol=1e-5)


@pytest.mark.extra("torch")
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 11])
def test_equals_pytorch(size):
    import torch

    x, dy = np.random.default_rng(0).normal(scale=5.0, size=(2, 2, 8, 3, 4)).astype("float32")
    constants = {"alpha": 0.2, "beta": 0.6, "k": 1.2}
    variable = torch.from_numpy(x).requires_grad_()
    expected = torch.nn.LocalResponseNorm(size, **constants)(variable)
    expected.backward(torch.from_numpy(dy))
    layer = LocalResponseNormalization(
        size, **constants, divide_alpha=True, data_format="channels_first"
    )
    y, (gradient,) = value_and_gradients(layer, [x], upstream=dy)
    np.testing.assert_allclose(y, expected.detach().numpy(), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradient, variable.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_statistics_are_float32_under_mixed_precision():
    # The squares of these values overflow float16.
    x = np.random.default_rng(0).normal(scale=1000.0, size=(4, 8)).astype("float16")
    layer = LocalResponseNormalization(dtype="mixed_float16")
    expected = reference.local_response_normalization(x.astype("float64"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(layer(x)), expected, rtol=2e-3)


def test_integers_become_floats():
    x = np.arange(12, dtype="uint8").reshape(1, 12)
    expected = reference.local_response_normalization(x.astype("float64"))
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(ops.local_response_normalization(x)), expected, rtol=1e-5
    )
    inputs = keras.Input((12,), dtype="uint8")
    assert ops.local_response_normalization(inputs).dtype == "float32"


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = keras.Input((None, None, 6))
    model = keras.Model(inputs, ops.local_response_normalization(inputs, **STRONG))
    assert model.output_shape == (None, None, None, 6)
    x = np.random.default_rng(0).normal(size=(2, 3, 4, 6)).astype("float32")
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = reference.local_response_normalization(x, **of_reference(**STRONG))
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"size": 0}, "`size` must be an int of at least 1; got size=0"),
        ({"size": 2.0}, "`size` must be an int of at least 1; got size=2.0"),
        ({"alpha": -0.1}, "`alpha` must be at least 0; got alpha=-0.1"),
        ({"k": 0}, "`k` must be above 0; got k=0"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        LocalResponseNormalization(**arguments)
    for x in (np.zeros((2, 3), "float32"), keras.Input((3,))):
        with pytest.raises(ValueError, match=sentence):
            ops.local_response_normalization(x, **arguments)


def test_wrong_shapes_fail_alike_eagerly_and_symbolically():
    for x in (np.zeros((3,), "float32"), keras.Input(batch_shape=(3,))):
        with pytest.raises(ValueError, match="at least rank 2; got rank 1"):
            LocalResponseNormalization()(x)
    with pytest.raises(ValueError, match="channels must be known"):
        LocalResponseNormalization()(keras.Input((4, None)))
    with pytest.raises(ValueError, match="`data_format` must be one of"):
        LocalResponseNormalization(data_format="NHWC")
