import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import DropBlock2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer


def to_numpy(y):
    return keras.ops.convert_to_numpy(y)


def corners_of(dropped, block_size):
    """Where a whole block was dropped: if only blocks were, these cover all that was."""
    _, height, width, _ = dropped.shape
    rows, columns = min(block_size, height), min(block_size, width)
    corners = np.ones_like(dropped[:, : height - rows + 1, : width - columns + 1])
    for i, j in np.ndindex(rows, columns):
        corners &= dropped[:, i : i + corners.shape[1], j : j + corners.shape[2]]
    return corners


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("block_size", [1, 3, 7])
def test_contract(block_size, data_format):
    shape = (2, 5, 6, 4) if data_format == "channels_last" else (2, 4, 5, 6)
    arguments = {"rate": 0.2, "block_size": block_size, "seed": 7, "data_format": data_format}
    check_layer(DropBlock2D, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("block_size", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(12, 9), (3, 12), (2, 2)])
def test_values_and_gradients_follow_the_blocks_that_were_drawn(size, block_size, data_format):
    rng = np.random.default_rng(0)
    x = rng.uniform(1, 2, size=(16, *size, 8)).astype("float32")
    dy = rng.normal(size=x.shape).astype("float32")
    first = data_format == "channels_first"
    view = (lambda a: np.moveaxis(a, -1, 1)) if first else np.asarray
    y, (dx,) = value_and_gradients(
        lambda x: ops.drop_block2d(x, 0.3, block_size, 3, data_format),
        [view(x)],
        upstream=view(dy),
    )
    y, dx = (np.moveaxis(a, 1, -1) if first else a for a in (y, dx))
    corners = corners_of(y == 0, block_size)
    assert 0 < corners.sum() < corners.size
    np.testing.assert_allclose(y, reference.drop_block2d(x, corners, block_size), rtol=1e-5)
    np.testing.assert_allclose(
        dx, reference.drop_block2d_backward(dy, corners, block_size), rtol=1e-5
    )


@pytest.mark.parametrize("unknown", [False, True], ids=["known", "unknown"])
@pytest.mark.parametrize(
    ("rate", "block_size", "size"),
    [
        (0.1, 7, (14, 14)),
        (0.25, 3, (10, 20)),
        (0.1, 7, (5, 30)),
        (0.3, 5, (4, 3)),
        (0.2, 1, (8, 8)),
    ],
)
def test_rate_is_met_but_for_overlaps(rate, block_size, size, unknown):
    batch, channels = 256, 32
    layer = DropBlock2D(rate, block_size, seed=1)
    x = np.ones((batch, *size, channels), "float32")
    if unknown and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        specification = tf.TensorSpec((None, None, None, channels))
        call = tf.function(lambda x: layer(x, training=True), input_signature=[specification])
        y = to_numpy(call(x))
    else:
        y = to_numpy(layer(x, training=True))
    # How many positions of a block reach each pixel, and so how probably it is dropped.
    blocks = [min(block_size, n) for n in size]
    positions = [n - b + 1 for n, b in zip(size, blocks, strict=True)]
    gamma = rate / np.prod(blocks) * np.prod(size) / np.prod(positions)
    down, across = (
        [sum(p <= i < p + b for p in range(m)) for i in range(n)]
        for n, b, m in zip(size, blocks, positions, strict=True)
    )
    expected = np.mean(1 - (1 - gamma) ** np.outer(down, across))
    assert rate - rate**2 < expected <= rate + 1e-9
    # Pixels of a map are not independent, maps are.
    shares = (y == 0).mean(axis=(1, 2))
    deviation = shares.std() / shares.size**0.5
    # On TensorFlow the probability of a known size is met within 1/65536.
    assert abs(shares.mean() - expected) < 5 * deviation + np.prod(blocks) / 65536
    np.testing.assert_allclose(y.mean(), 1.0, rtol=1e-4)


def test_every_position_is_as_probable():
    corners = corners_of(
        to_numpy(ops.drop_block2d(np.ones((2000, 6, 6, 4)), 0.05, 4, seed=0)) == 0, 4
    )
    counts = corners.sum(axis=(0, 3))
    assert counts.shape == (3, 3)
    assert np.abs(counts - counts.mean()).max() < 5 * counts.mean() ** 0.5


def test_blocks_differ_from_step_to_step_and_repeat_under_a_seed():
    x = np.ones((4, 16, 16, 4), "float32")
    first, second = DropBlock2D(0.2, 3, seed=5), DropBlock2D(0.2, 3, seed=5)
    steps = [to_numpy(first(x, training=True)) for _ in range(3)]
    assert not np.array_equal(steps[0], steps[1])
    assert not np.array_equal(steps[1], steps[2])
    for step in steps:
        np.testing.assert_array_equal(to_numpy(second(x, training=True)), step)
    assert not np.array_equal(steps[0][0], steps[0][1])
    assert not np.array_equal(steps[0][..., 0], steps[0][..., 1])


def test_inference_and_rate_0_change_nothing():
    x = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype("float32")
    np.testing.assert_array_equal(to_numpy(DropBlock2D(0.3, 3)(x, training=False)), x)
    np.testing.assert_array_equal(to_numpy(DropBlock2D(0, 3)(x, training=True)), x)


def test_nothing_kept_is_zero_and_dropped_values_leave_no_trace():
    # A block as large as the map, dropped for certain.
    y = to_numpy(ops.drop_block2d(np.full((2, 3, 3, 1), np.inf, "float32"), 1.0, 5))
    np.testing.assert_array_equal(y, np.zeros((2, 3, 3, 1)))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"rate": 1.5}, r"Received: rate=1\.5"),
        ({"rate": -0.1}, r"Received: rate=-0\.1"),
        ({"rate": 0.1, "block_size": 0}, "`block_size` must be an int of at least 1; got block"),
        ({"rate": 0.1, "block_size": (3, 3)}, "`block_size` must be an int of at least 1"),
        ({"rate": 0.1, "data_format": "NHWC"}, "`data_format` must be one of"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        DropBlock2D(**arguments)
    with pytest.raises(ValueError, match=sentence):
        ops.drop_block2d(np.ones((1, 4, 4, 1)), **arguments)


def test_wrong_rank_fails_alike_eagerly_and_symbolically():
    for x in (np.zeros((2, 4, 4), "float32"), keras.Input(batch_shape=(2, 4, 4))):
        with pytest.raises(ValueError, match="`inputs` must have rank 4; got rank 3"):
            DropBlock2D(0.1)(x)


def test_gradients_are_finite_in_float16_where_nothing_is_kept():
    x = np.ones((2, 3, 3, 1), "float16")
    y, (gradient,) = value_and_gradients(lambda x: ops.drop_block2d(x, 1.0, 5, seed=0), [x])
    assert np.array_equal(y, np.zeros_like(x))
    assert np.array_equal(gradient, np.zeros_like(x))
