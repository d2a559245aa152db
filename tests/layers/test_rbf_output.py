import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import RBFOutput
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize(
    "arguments",
    [{}, {"trainable_prototypes": True}, {"prototypes_initializer": "glorot_uniform"}],
)
@pytest.mark.parametrize("leading", [(4,), (2, 3), (2, 3, 4)])
def test_contract(leading, arguments):
    check_layer(RBFOutput, {"units": 5, **arguments}, (*leading, 8), (*leading, 5))


def test_values_and_gradients_follow_the_formula():
    rng = np.random.default_rng(0)
    x, prototypes, dy = (rng.normal(size=size) for size in ((6, 84), (10, 84), (6, 10)))
    y, gradients = value_and_gradients(
        ops.rbf_output, [x.astype("float32"), prototypes.astype("float32")], upstream=dy
    )
    np.testing.assert_allclose(y, reference.rbf_output(x, prototypes), rtol=1e-5)
    expected = reference.rbf_output_backward(dy, x, prototypes)
    for found, gradient in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-4, atol=1e-4)


def test_reference_gradient_is_the_numeric_one():
    rng = np.random.default_rng(0)
    arrays = rng.normal(size=(3, 4)), rng.normal(size=(2, 4))
    dy = rng.normal(size=(3, 2))
    for array, gradient in zip(arrays, reference.rbf_output_backward(dy, *arrays), strict=True):
        values = []
        for step in (1e-6, -1e-6):
            array[1, 2] += step
            values.append((dy * reference.rbf_output(*arrays)).sum())
            array[1, 2] -= step
        np.testing.assert_allclose(gradient[1, 2], (values[0] - values[1]) / 2e-6, rtol=1e-6)


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    rng = np.random.default_rng(0)
    x, prototypes = (rng.normal(size=size).astype("float32") for size in ((6, 84), (10, 84)))
    expected = torch.cdist(torch.from_numpy(x), torch.from_numpy(prototypes)).numpy() ** 2
    y = keras.ops.convert_to_numpy(ops.rbf_output(x, prototypes))
    np.testing.assert_allclose(y, expected, rtol=1e-4)


def test_small_distances_between_large_numbers_are_exact():
    # |x|**2 - 2 * x @ p + |p|**2 would be off by more than the distance itself.
    x = np.full((1, 84), 1000.0, "float32")
    y = ops.rbf_output(x, np.stack([x[0], x[0] + 0.25]))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), [[0.0, 84 / 16]])


def test_prototypes_are_random_signs_and_not_trained():
    layer = RBFOutput(100)
    layer.build((None, 84))
    (prototypes,) = layer.get_weights()
    assert layer.trainable_weights == []
    assert [weight.path.split("/")[-1] for weight in layer.weights] == ["prototypes"]
    assert set(np.unique(prototypes)) == {-1.0, 1.0}
    assert abs(prototypes.mean()) < 5 / 8400**0.5
    other = RBFOutput(100)
    other.build((None, 84))
    assert not np.array_equal(other.get_weights()[0], prototypes)


def test_the_negative_is_a_logit():
    layer = RBFOutput(10)
    layer.build((None, 84))
    (prototypes,) = layer.get_weights()
    x = prototypes[[3, 1, 4]] + np.random.default_rng(0).normal(scale=0.1, size=(3, 84))
    logits = -keras.ops.convert_to_numpy(layer(x.astype("float32")))
    assert logits.argmax(axis=-1).tolist() == [3, 1, 4]


def test_distances_are_float32_under_mixed_precision():
    # In float16, 2048 + 1 is 2048: a sum of ones would stay there.
    layer = RBFOutput(1, prototypes_initializer="zeros", dtype="mixed_float16")
    y = keras.ops.convert_to_numpy(layer(np.ones((1, 3000), "float16")))
    assert y.dtype == "float16"
    np.testing.assert_array_equal(y, [[3000.0]])


def test_integers_become_floats():
    y = ops.rbf_output(np.array([[1, 2]]), np.array([[0.5, 0.5]], "float32"))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), [[2.5]])


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = [keras.Input((None, 4)), keras.Input(batch_shape=(3, 4))]
    model = keras.Model(inputs, ops.rbf_output(*inputs))
    assert model.output_shape == (None, None, 3)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    rng = np.random.default_rng(0)
    x, prototypes = (rng.normal(size=size).astype("float32") for size in ((2, 5, 4), (3, 4)))
    expected = reference.rbf_output(x.reshape(10, 4), prototypes).reshape(2, 5, 3)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(again([x, prototypes])), expected, rtol=1e-4
    )


def test_wrong_shapes_fail_alike_eagerly_and_symbolically():
    sentence = r"`prototypes` must have .*; got shape \(3, 5\) on input shape \(2, 4\)"
    with pytest.raises(ValueError, match=sentence):
        ops.rbf_output(np.zeros((2, 4), "float32"), np.zeros((3, 5), "float32"))
    with pytest.raises(ValueError, match=sentence):
        ops.rbf_output(keras.Input(batch_shape=(2, 4)), keras.Input(batch_shape=(3, 5)))
    with pytest.raises(ValueError, match=r"features must be known; got shape \(None, None\)"):
        RBFOutput(3)(keras.Input((None,)))


@pytest.mark.parametrize("units", [0, 1.5, "2"])
def test_wrong_units(units):
    with pytest.raises(ValueError, match="`units` must be an int of at least 1; got units="):
        RBFOutput(units)
