"""Images and masks of any suffix, mode, depth and orientation are read as NumPy says."""

import tempfile
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from kerascnn.data import load_segmentation, read_image
from tests.data.folders import exif, save

SUFFIXES = (".png", ".jfif", ".dat", ".TIFF", "")
# Where the first row and column of the file belong, from the EXIF standard's table
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: x.swapaxes(0, 1)[:, ::-1],
    7: lambda x: x.swapaxes(0, 1)[::-1, ::-1],
    8: lambda x: x.swapaxes(0, 1)[::-1],
}
RANGES = {"uint16": (0, 1023), "int32": (-50, 450), "float32": (-1.0, 3.0)}


def gray_of(rgb):
    weights = np.array([19595, 38470, 7471])
    return ((rgb.astype(int) @ weights + 32768) >> 16)[..., np.newaxis]


def scaled(values, low, high):
    return np.rint((values.astype(float) - low) / (high - low) * 255).clip(0, 255)


def stored(mode, rng, size):
    """`(Pillow image, format, pixels that should be read)`."""
    byte = rng.integers(0, 256, (*size, 4)).astype(np.uint8)
    if mode == "1":
        return Image.fromarray(byte[..., 0] > 127), "PNG", (byte[..., :1] > 127) * 255
    if mode == "L":
        return Image.fromarray(byte[..., 0]), "PNG", byte[..., :1]
    if mode == "RGB":
        return Image.fromarray(byte[..., :3]), "PNG", byte[..., :3]
    if mode in ("LA", "RGBA"):
        color, alpha = byte[..., : len(mode) - 1].astype(int), byte[..., 3:].astype(int)
        picture = Image.fromarray(np.concatenate([color, alpha], -1).astype(np.uint8), mode)
        return picture, "PNG", (color * alpha + 255 * (255 - alpha) + 127) // 255
    if mode == "P":
        table = rng.integers(0, 256, (256, 3)).astype(np.uint8)
        picture = Image.fromarray(byte[..., 0], "P")
        picture.putpalette(table.ravel().tolist())
        return picture, "PNG", table[byte[..., 0]]
    if mode == "16":
        values = rng.integers(0, 1200, size).astype(np.uint16)
        return Image.fromarray(values), "PNG", scaled(values, *RANGES["uint16"])[..., np.newaxis]
    if mode == "32":
        values = rng.integers(-90, 500, size).astype(np.int32)
        return Image.fromarray(values), "TIFF", scaled(values, *RANGES["int32"])[..., np.newaxis]
    values = rng.uniform(-2, 4, size).astype(np.float32)
    return Image.fromarray(values), "TIFF", scaled(values, *RANGES["float32"])[..., np.newaxis]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(
    mode=st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "16", "32", "float"]),
    suffix=st.sampled_from(SUFFIXES),
    orientation=st.integers(1, 8),
    channels=st.sampled_from([None, 1, 3]),
    size=st.tuples(st.integers(1, 9), st.integers(1, 9)),
    seed=st.integers(0, 2**32 - 1),
)
def test_images(mode, suffix, orientation, channels, size, seed):
    picture, kind, expected = stored(mode, np.random.default_rng(seed), size)
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder, f"image{suffix}"), picture, format=kind, exif=exif(orientation))
        found = read_image(path, channels, value_ranges=RANGES)
    expected = UPRIGHT[orientation](expected)
    if channels == 1 and expected.shape[-1] == 3:
        expected = gray_of(expected)
    elif channels == 3 and expected.shape[-1] == 1:
        expected = np.repeat(expected, 3, axis=-1)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, expected)


@settings(max_examples=12, deadline=None, derandomize=True)
@given(
    mode=st.sampled_from(["L", "P", "RGB", "RGBA", "color"]),
    suffixes=st.tuples(st.sampled_from(SUFFIXES), st.sampled_from(SUFFIXES)),
    orientation=st.sampled_from([1, 5, 6, 7, 8]),
    drawn_upright=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
)
def test_an_image_and_its_mask(mode, suffixes, orientation, drawn_upright, seed):
    """The pixel of the mask stays on that of the image, however both are stored."""
    rng = np.random.default_rng(seed)
    colors = np.array([[10, 20, 30], [200, 0, 0], [0, 90, 0]], np.uint8)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        expected = {}
        for i in range(3):
            mask = rng.permutation(np.arange(35) % 3).reshape(5, 7).astype(np.uint8)
            image = np.repeat(mask[..., np.newaxis] * 80, 3, axis=-1)
            image[..., 1] = rng.integers(0, 256, mask.shape)
            expected[str(i)] = UPRIGHT[orientation](image)
            save(
                root / "images" / f"{i}{suffixes[0]}",
                Image.fromarray(image),
                format="PNG",
                exif=exif(orientation),
            )
            turned = UPRIGHT[orientation](mask) if drawn_upright else mask
            picture = Image.fromarray(np.ascontiguousarray(turned))
            if mode == "P":
                picture.putpalette(colors.ravel().tolist())
            elif mode == "color":
                picture = Image.fromarray(colors[turned])
            elif mode != "L":
                picture = picture.convert(mode)
            save(root / "masks" / f"{i}{suffixes[1]}", picture, format="PNG")
        words = [
            f"{name} #{color.tobytes().hex()}" if mode == "color" else name
            for name, color in zip("abc", colors, strict=True)
        ]
        (root / "classes.txt").write_text("\n".join(words))
        data = load_segmentation(root)
        for split in data.num_examples:
            for name, image, mask in data.examples(split):
                np.testing.assert_array_equal(image, expected[Path(name).stem])
                np.testing.assert_array_equal(mask, image[..., 0] // 80)
