import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import Dropout
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 5)])
def test_contract(mode, shape):
    arguments = {"rate": 0.25, "mode": mode, "seed": 7}
    check_layer(Dropout, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize("rate", [0.5, 0.3])
def test_values_and_gradients_follow_the_mask_that_was_drawn(mode, rate):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, size=(64, 32)).astype("float32")
    dy = rng.normal(size=x.shape).astype("float32")
    y, (dx,) = value_and_gradients(
        lambda x: ops.dropout(x, rate, seed=3, mode=mode), [x], upstream=dy
    )
    mask = y != 0
    np.testing.assert_allclose(y, reference.dropout(x, mask, rate, mode), rtol=1e-6)
    np.testing.assert_allclose(dx, reference.dropout_backward(dy, mask, rate, mode), rtol=1e-6)


@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_inference_is_not_random(mode):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    y = keras.ops.convert_to_numpy(Dropout(0.3, mode=mode)(x, training=False))
    np.testing.assert_allclose(y, reference.dropout(x, None, 0.3, mode, training=False), rtol=1e-6)


# 1/512 and 511/512 are no multiples of 1/256, at both ends of the range.
@pytest.mark.parametrize("rate", [0.5, 0.25, 0.3, 0.1, 0.9, 1 / 512, 511 / 512])
def test_rate_is_met_and_draws_are_independent(rate):
    n = 1_000_000
    x = np.ones((n,), "float32")
    dropped = keras.ops.convert_to_numpy(ops.dropout(x, rate, seed=1)) == 0
    deviation = (rate * (1 - rate) / n) ** 0.5
    assert abs(dropped.mean() - rate) < 5 * deviation
    # Neighbours share a random word on TensorFlow: pairs must still be independent.
    for lag in (1, 2, 3, 4):
        both = (dropped[lag:] & dropped[:-lag]).mean()
        expected = rate**2
        assert abs(both - expected) < 5 * (expected * (1 - expected) / n) ** 0.5 + 1e-6


def test_masks_differ_from_step_to_step_and_repeat_under_a_seed():
    x = np.ones((32, 32), "float32")
    first, second = Dropout(0.5, seed=5), Dropout(0.5, seed=5)
    steps = [keras.ops.convert_to_numpy(first(x, training=True)) for _ in range(3)]
    assert not np.array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[1], steps[2])
    for step in steps:
        again = keras.ops.convert_to_numpy(second(x, training=True))
        np.testing.assert_array_equal(again, step)


def test_masks_repeat_after_set_random_seed():
    x = np.ones((32, 32), "float32")
    outputs = []
    for _ in range(2):
        keras.utils.set_random_seed(11)
        outputs.append(keras.ops.convert_to_numpy(Dropout(0.5)(x, training=True)))
    np.testing.assert_array_equal(*outputs)


def test_noise_shape_drops_whole_feature_maps():
    x = np.ones((8, 5, 6, 16), "float32")
    layer = Dropout(0.5, noise_shape=(None, 1, 1, None), seed=0)
    y = keras.ops.convert_to_numpy(layer(x, training=True))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    assert 0 < y[:, 0, 0].mean() < 2


@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_ends_of_the_range(mode):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    for training in (True, False):
        y = Dropout(0, mode=mode)(x, training=training)
        np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), x)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(Dropout(1, mode=mode)(x, training=True)), 0 * x
    )


def test_dropped_values_leave_no_trace():
    # 0 * inf would be nan.
    y = keras.ops.convert_to_numpy(ops.dropout(np.full((100,), np.inf, "float32"), 0.5, seed=0))
    assert not np.isnan(y).any()


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"Received: rate=1\.5"):
        Dropout(1.5)
    with pytest.raises(ValueError, match="Received: rate=-1"):
        ops.dropout(np.ones((2,)), -1)
    with pytest.raises(ValueError, match="`mode` must be one of 'inverted', 'classic'"):
        Dropout(0.5, mode="alpha")
    with pytest.raises(ValueError, match="noise_shape"):
        Dropout(0.5, noise_shape="all")
