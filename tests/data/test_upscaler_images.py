import numpy as np

from kerascnn.data import upscale_bicubic
from kerascnn.data.upscaler_images import to_upscale, upscaled_image


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def test_luminance_and_back_through_ycbcr():
    image = noise(6, 5, 3)
    # The matrix of JPEG's YCbCr, which is ITU-R 601 in full range
    matrix = np.array(
        [
            [0.299, 0.587, 0.114],
            [-0.299 / 1.772, -0.587 / 1.772, 0.5],
            [0.5, -0.587 / 1.402, -0.114 / 1.402],
        ]
    )
    ycbcr = image / 255 @ matrix.T
    found = to_upscale(image[np.newaxis], 1)[0]
    np.testing.assert_allclose(found, ycbcr[..., :1], atol=1e-6)
    answer = np.random.default_rng(1).random((1, 12, 10, 1)).astype(np.float32)
    color = upscale_bicubic(ycbcr[np.newaxis].astype(np.float32), 2).numpy()
    expected = np.concatenate([answer, color[..., 1:]], axis=-1) @ np.linalg.inv(matrix).T
    expected = 255 * np.clip(expected, 0, 1)
    image = upscaled_image(answer, image[np.newaxis], 2).numpy()
    assert image.dtype == np.uint8
    assert np.abs(image - expected).max() <= 0.5 + 1e-3


def test_gray_stays_gray():
    gray = np.repeat(noise(1, 6, 5, 1), 3, axis=-1)
    answer = np.random.default_rng(1).random((1, 12, 10, 1)).astype(np.float32)
    image = upscaled_image(answer, gray, 2).numpy()
    np.testing.assert_array_equal(image, np.rint(255 * answer).repeat(3, axis=-1))
