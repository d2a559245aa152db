import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn.data import downscale_bicubic
from kerascnn.inference import Upscaling, compare_with_bicubic, factor_of, upscale
from kerascnn.inference import upscaling as module
from kerascnn.layers import SubpixelConv2D
from kerascnn.metrics import luminance_psnr, luminance_ssim, psnr


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)


def two_pictures(*shape):
    """A smooth picture, and the same with noise."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    smooth = 128 + 90 * np.sin(rows / 7) * np.cos(columns / 5)
    truth = np.stack([smooth, 255 - smooth, smooth / 2], axis=-1)[..., : shape[2]]
    changed = truth + np.random.default_rng(0).normal(0, 12, truth.shape)
    return tuple(np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in (truth, changed))


def network(channels, factor, wide=3, seed=0):
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((None, None, channels)),
            keras.layers.Conv2D(8, wide, padding="same", activation="tanh"),
            keras.layers.Conv2D(8, 3, padding="same", activation="relu"),
            SubpixelConv2D(channels, 3, factor),
        ]
    )


# --- how good a picture is ------------------------------------------------------


def luminance_by_hand(picture):
    """MATLAB's rgb2ycbcr without rounding, pixel by pixel."""
    answer = np.zeros(picture.shape[:2])
    for place in np.ndindex(answer.shape):
        pixel = picture[place].astype(float) / 255
        red, green, blue = pixel if len(pixel) == 3 else np.repeat(pixel, 3)
        answer[place] = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    return answer


def ssim_by_loops(x, y):
    """Wang et al., 2004, equation 13 with weights as in section III C."""
    weights = np.array(
        [[np.exp(-(i**2 + j**2) / (2 * 1.5**2)) for j in range(-5, 6)] for i in range(-5, 6)]
    )
    weights /= weights.sum()
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    values = []
    for top in range(x.shape[0] - 10):
        for left in range(x.shape[1] - 10):
            a, b = x[top : top + 11, left : left + 11], y[top : top + 11, left : left + 11]
            m, n = (weights * a).sum(), (weights * b).sum()
            v, w = (weights * (a - m) ** 2).sum(), (weights * (b - n) ** 2).sum()
            s = (weights * (a - m) * (b - n)).sum()
            values.append((2 * m * n + c1) * (2 * s + c2) / ((m**2 + n**2 + c1) * (v + w + c2)))
    return np.mean(values)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("border", [0, 3])
def test_psnr_and_ssim_follow_the_papers(channels, border):
    truth, changed = two_pictures(24, 27, channels)
    x, y = (
        luminance_by_hand(picture)[border : 24 - border, border : 27 - border]
        for picture in (truth, changed)
    )
    error = sum((a - b) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True)) / x.size
    expected = 10 * np.log10(255**2 / error)
    assert luminance_psnr(truth, changed, border) == pytest.approx(expected, abs=1e-9)
    assert 15 < expected < 40
    expected = ssim_by_loops(x, y)
    assert luminance_ssim(truth, changed, border) == pytest.approx(expected, abs=1e-9)
    assert 0.1 < expected < 0.95


def test_psnr_and_ssim_are_tensorflows():
    truth, changed = two_pictures(40, 50, 3)
    x, y = (luminance_by_hand(picture)[..., np.newaxis] for picture in (truth, changed))
    assert luminance_psnr(truth, changed) == pytest.approx(float(tf.image.psnr(x, y, 255)), 1e-5)
    assert luminance_ssim(truth, changed) == pytest.approx(float(tf.image.ssim(x, y, 255)), 1e-4)


def test_equal_pictures():
    picture = noise(20, 20, 3)
    assert luminance_psnr(picture, picture) == 100
    assert luminance_ssim(picture, picture) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("measure", [luminance_psnr, luminance_ssim])
@pytest.mark.parametrize(
    ("shape", "border", "sentence"),
    [
        ((12, 13, 3), 0, r"must have the shape of `truth`, \(12, 12, 3\); got \(12, 13, 3\)"),
        ((12, 12, 3), -1, "got border=-1"),
        ((12, 12, 3), 6, r"got border=6 with shape \(12, 12, 3\)"),
    ],
)
def test_wrong_pictures(measure, shape, border, sentence):
    with pytest.raises(ValueError, match=sentence):
        measure(np.zeros((12, 12, 3), np.uint8), np.zeros(shape, np.uint8), border)


def test_psnr_of_a_batch():
    rng = np.random.default_rng(0)
    truth = rng.random((3, 8, 9, 1)).astype(np.float32)
    answers = truth + rng.normal(0, 0.2, truth.shape).astype(np.float32)
    answers[2] = truth[2]
    found = keras.ops.convert_to_numpy(psnr(truth, answers))
    expected = tf.image.psnr(truth, np.clip(answers, 0, 1), max_val=1.0).numpy()
    np.testing.assert_allclose(found[:2], expected[:2], rtol=1e-5)
    assert found[2] == pytest.approx(100)
    half = keras.ops.convert_to_numpy(psnr(truth, answers.astype(np.float16)))
    assert half.dtype == np.float32
    np.testing.assert_allclose(half[:2], found[:2], atol=0.01)


# --- upscaling --------------------------------------------------------------------


@pytest.mark.parametrize(("channels", "factor"), [(1, 3), (3, 2)])
@pytest.mark.parametrize("colors", [1, 3])
def test_tiles_give_the_answer_of_the_whole(channels, factor, colors):
    model = network(channels, factor, wide=5)
    picture = noise(33, 41, colors)
    whole = upscale(model, picture)
    assert whole.shape == (33 * factor, 41 * factor, colors)
    for tile in (9, 15, 33):
        # What lies between two gray levels may be rounded to either of them.
        difference = np.abs(upscale(model, picture, tile).astype(int) - whole)
        assert difference.max() <= 1
        assert (difference > 0).mean() < 1e-3


def test_tiles_of_every_model_see_all_they_need():
    """With less overlap, the answers would differ."""
    model = network(1, 2, wide=7)
    reach, step = module._reach(model)
    assert step == 1
    assert 3 + 1 + 1 <= reach <= 3 + 1 + 1 + 2
    picture = noise(40, 40, 1)
    whole = upscale(model, picture, 40).astype(int)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_reach", lambda model: (2, 1))
        assert np.abs(upscale(model, picture, 10) - whole).max() > 1


def pooling(padding):
    """A network that reduces images before it enlarges them."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", strides=2)(inputs)
    x = keras.layers.MaxPooling2D(2, padding=padding)(x)
    x = keras.layers.Conv2D(3, 3, padding="same")(x)
    return keras.Model(inputs, keras.layers.UpSampling2D(8)(x))


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_tiles_of_models_with_strides(padding):
    """Windows of pooling begin where they do in the whole image."""
    model, picture = pooling(padding), noise(84, 76, 3)
    whole = upscale(model, picture, tile=84)
    for tile in (17, 32):
        assert np.abs(upscale(model, picture, tile).astype(int) - whole).max() <= 1


def test_sizes_that_do_not_fit_the_strides():
    """Keras's padding depends on the size: a tile would have another than the whole image."""
    model, picture = pooling("same"), noise(62, 50, 3)
    outputs = keras.ops.convert_to_numpy(model(picture[np.newaxis] / np.float32(255)))[0]
    assert outputs.shape == (128, 104, 3)
    expected = np.rint(255 * np.clip(outputs[:124, :100], 0, 1))
    assert np.abs(upscale(model, picture, tile=20) - expected).max() <= 1
    sentence = "must enlarge every image by 2; got 120x96 pixels for 62x50"
    with pytest.raises(ValueError, match=sentence):
        upscale(pooling("valid"), picture, tile=20)


def test_a_model_that_sees_the_whole_image_gets_it():
    inputs = keras.Input((None, None, 1))
    mean = keras.layers.GlobalAveragePooling2D(keepdims=True)(inputs)
    x = keras.layers.UpSampling2D(2)(keras.layers.Add()([inputs, mean]))
    model = keras.Model(inputs, x)
    picture = noise(9, 9, 1) // 2
    expected = np.rint(picture + picture.mean()).repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(upscale(model, picture, tile=4) - expected).max() <= 1


@pytest.mark.parametrize("size", [(1, 1), (1, 9), (2, 3)])
def test_the_smallest_pictures(size):
    assert upscale(network(1, 3), noise(*size, 3)).shape == (3 * size[0], 3 * size[1], 3)


def test_gray_pictures_are_those_of_equal_colors():
    model = network(1, 3)
    gray = noise(10, 12, 1)
    color = upscale(model, gray.repeat(3, axis=-1))
    np.testing.assert_array_equal(upscale(model, gray), color[..., :1])
    np.testing.assert_array_equal(color[..., 0], color[..., 2])


def test_reconstruct_measures_beside_bicubic():
    truth, _ = two_pictures(50, 46, 3)
    keras.utils.set_random_seed(0)
    repeating = keras.Sequential([keras.Input((None, None, 3)), keras.layers.UpSampling2D(3)])
    found = compare_with_bicubic(repeating, truth)
    low, high = downscale_bicubic(truth, 3)
    np.testing.assert_array_equal(found.truth, high)
    np.testing.assert_array_equal(found.low, low)
    np.testing.assert_array_equal(found.upscaled, low.repeat(3, axis=0).repeat(3, axis=1))
    assert found.factor == 3
    metrics = found.metrics()
    assert set(metrics) == {"psnr", "ssim", "bicubic_psnr", "bicubic_ssim"}
    assert metrics["psnr"] == luminance_psnr(high, found.upscaled, border=3)
    assert metrics["bicubic_ssim"] == luminance_ssim(high, found.bicubic, border=3)
    assert metrics["bicubic_psnr"] > metrics["psnr"] + 1


def test_metrics_leave_the_border_out():
    truth = noise(32, 32, 3)
    framed = truth.copy()
    framed[:2], framed[-2:], framed[:, :2], framed[:, -2:] = 0, 0, 0, 0
    metrics = Upscaling(truth, truth[::2, ::2], framed, truth).metrics()
    assert metrics["bicubic_psnr"] == metrics["psnr"] == 100


@pytest.mark.parametrize(
    "model",
    [
        keras.Sequential([keras.Input((8, 8, 1)), keras.layers.UpSampling2D(2)]),
        keras.Sequential([keras.Input((None, None, 4)), keras.layers.UpSampling2D(2)]),
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.UpSampling2D((2, 3))]),
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(3, 1)]),
        keras.Sequential([keras.Input((None, None, 1)), keras.layers.Conv2D(1, 3)]),
        keras.Sequential([keras.Input((4,)), keras.layers.Dense(4)]),
    ],
)
def test_models_that_do_not_upscale(model):
    with pytest.raises(ValueError, match="`model` must upscale channels-last images"):
        factor_of(model)


@pytest.mark.parametrize(
    ("picture", "tile", "sentence"),
    [
        (noise(8, 8), 4, r"got uint8 of shape \(8, 8\)"),
        (noise(8, 8, 4), 4, r"got uint8 of shape \(8, 8, 4\)"),
        (noise(8, 8, 1) / 255, 4, "got float64"),
        (noise(8, 8, 1), 0, "got tile=0"),
    ],
)
def test_wrong_arguments_of_upscale(picture, tile, sentence):
    with pytest.raises(ValueError, match=sentence):
        upscale(network(1, 2), picture, tile)
