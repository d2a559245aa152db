import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import StochasticDepth
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

SHAPES = {"numbers": (64,), "vectors": (64, 3), "images": (64, 2, 3, 4)}


@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize("shape", [(4, 3), (2, 3, 4, 5)])
def test_contract(mode, shape):
    arguments = {"rate": 0.25, "mode": mode, "seed": 7}
    check_layer(StochasticDepth, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("mode", ["inverted", "classic"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_values_and_gradients_follow_the_mask_that_was_drawn(shape, mode):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, size=shape).astype("float32")
    dy = rng.normal(size=shape).astype("float32")
    y, (dx,) = value_and_gradients(
        lambda x: ops.stochastic_depth(x, 0.3, seed=3, mode=mode), [x], upstream=dy
    )
    mask = y.reshape(len(y), -1)[:, 0] != 0
    assert 0 < mask.sum() < mask.size
    np.testing.assert_allclose(y, reference.stochastic_depth(x, mask, 0.3, mode), rtol=1e-6)
    np.testing.assert_allclose(
        dx, reference.stochastic_depth_backward(dy, mask, 0.3, mode), rtol=1e-6
    )


def test_a_sample_is_dropped_whole_or_divided_by_the_keep_probability():
    # What torchvision's stochastic_depth(..., mode="row") does.
    x = np.ones((10_000, 2, 2), "float32")
    y = keras.ops.convert_to_numpy(ops.stochastic_depth(x, 0.2, seed=1))
    np.testing.assert_array_equal(y, np.broadcast_to(y[:, :1, :1], y.shape))
    np.testing.assert_allclose(np.unique(y), [0.0, 1.25])
    assert abs((y[:, 0, 0] == 0).mean() - 0.2) < 5 * (0.2 * 0.8 / len(y)) ** 0.5


@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_inference_is_not_random(mode):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    y = keras.ops.convert_to_numpy(StochasticDepth(0.3, mode=mode)(x, training=False))
    expected = reference.stochastic_depth(x, np.ones(5), 0.3, mode, training=False)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


def test_draws_differ_from_step_to_step_and_repeat_under_a_seed():
    x = np.ones((64, 2), "float32")
    first, second = StochasticDepth(0.5, seed=5), StochasticDepth(0.5, seed=5)
    steps = [keras.ops.convert_to_numpy(first(x, training=True)) for _ in range(3)]
    assert not np.array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[1], steps[2])
    for step in steps:
        again = keras.ops.convert_to_numpy(second(x, training=True))
        np.testing.assert_array_equal(again, step)


@pytest.mark.parametrize("mode", ["inverted", "classic"])
def test_ends_of_the_range(mode):
    x = np.random.default_rng(0).normal(size=(5, 6)).astype("float32")
    y = StochasticDepth(0, mode=mode)(x, training=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), x)
    y = StochasticDepth(1, mode=mode)(x, training=True)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), 0 * x)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"Received: rate=1\.5"):
        StochasticDepth(1.5)
    with pytest.raises(ValueError, match="Received: rate=-1"):
        ops.stochastic_depth(np.ones((2,)), -1)
    with pytest.raises(ValueError, match="`mode` must be one of 'inverted', 'classic'"):
        StochasticDepth(0.5, mode="row")
    for x in (np.float32(1), keras.Input(batch_shape=())):
        with pytest.raises(ValueError, match="`inputs` must have at least rank 1; got rank 0"):
            StochasticDepth(0.5)(x)
