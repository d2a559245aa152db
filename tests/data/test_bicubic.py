import numpy as np
import pytest
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import downscale_bicubic, upscale_bicubic


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def cubic(x):
    """Keys's kernel, a = -0.5."""
    x = abs(x)
    if x < 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def resized_by_loops(row, size):
    """One row, by the formula: the kernel is widened when the row becomes shorter."""
    scale = len(row) / size
    wide = max(scale, 1.0)
    answer = []
    for i in range(size):
        center = (i + 0.5) * scale - 0.5
        weights = [cubic((k - center) / wide) for k in range(len(row))]
        answer.append(np.dot(weights, row) / sum(weights))
    return np.array(answer)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_upscale_is_bicubic(factor):
    image = np.random.default_rng(0).random((5, 7)).astype(np.float32)
    found = upscale_bicubic(image[np.newaxis, ..., np.newaxis], factor)[0, ..., 0]
    rows = np.stack([resized_by_loops(row, 7 * factor) for row in image])
    expected = np.stack([resized_by_loops(column, 5 * factor) for column in rows.T]).T
    np.testing.assert_allclose(found, expected, atol=1e-6)
    pillow = Image.fromarray(image).resize((7 * factor, 5 * factor), Image.Resampling.BICUBIC)
    np.testing.assert_allclose(found, np.asarray(pillow), atol=1e-6)


def test_upscaled_parts_are_parts_of_the_whole_to_the_last_bit():
    images = np.random.default_rng(0).random((2, 30, 20, 3)).astype(np.float32)
    whole = upscale_bicubic(images, 3).numpy()
    np.testing.assert_array_equal(
        upscale_bicubic(images[:, 8:22, 3:], 3)[:, 6:-6, 6:], whole[:, 30:60, 15:]
    )


@pytest.mark.parametrize("factor", [2, 3, 4])
def test_downscale_is_bicubic_with_antialiasing(factor):
    image = np.stack([noise(26, 21)] * 3, axis=-1)
    low, high = downscale_bicubic(image, factor)
    height, width = 26 // factor, 21 // factor
    np.testing.assert_array_equal(high, image[: height * factor, : width * factor])
    assert low.shape == (height, width, 3)
    rows = np.stack([resized_by_loops(row, width) for row in high[..., 0].astype(float)])
    rows = np.clip(np.rint(rows), 0, 255)  # Pillow rounds between the axes
    expected = np.stack([resized_by_loops(column, height) for column in rows.T]).T
    assert np.abs(low[..., 0] - np.clip(np.rint(expected), 0, 255)).max() <= 1


def test_downscale_refuses_less_than_a_pixel():
    with pytest.raises(UsageError, match=r"got factor=4 with shape \(3, 9, 3\)"):
        downscale_bicubic(np.zeros((3, 9, 3), np.uint8), 4)
    with pytest.raises(UsageError, match="got factor=0"):
        downscale_bicubic(np.zeros((3, 9, 3), np.uint8), 0)
