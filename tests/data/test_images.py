import os
import struct
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from kerascnn.arguments import UsageError
from kerascnn.data import UnreadableImageError, image_files, prepare, read_image, read_mask
from kerascnn.data.images import EncodedImage, TooManyPixelsError
from kerascnn.data.pixels import to_channels


def colors(height=5, width=7, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


def test_rgb_and_gray_come_as_they_are(tmp_path):
    Image.fromarray(colors()).save(tmp_path / "rgb.png")
    Image.fromarray(colors()[..., 0]).save(tmp_path / "gray.png")
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png"), colors())
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png"), colors()[..., :1])
    np.testing.assert_array_equal(
        read_image(tmp_path / "gray.png", channels=3), np.repeat(colors()[..., :1], 3, axis=-1)
    )


def test_gray_of_colors_is_pillows(tmp_path):
    Image.fromarray(colors()).save(tmp_path / "rgb.png")
    expected = np.asarray(Image.fromarray(colors()).convert("L"))[..., np.newaxis]
    np.testing.assert_array_equal(read_image(tmp_path / "rgb.png", channels=1), expected)
    np.testing.assert_array_equal(to_channels(tf.constant(colors()), 1), expected)


def test_palette(tmp_path):
    picture = Image.fromarray(colors()).quantize(16)
    picture.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(
        read_image(tmp_path / "palette.png"), np.asarray(picture.convert("RGB"))
    )


def test_black_and_white(tmp_path):
    Image.fromarray(colors()[..., 0] > 127).save(tmp_path / "bits.png")
    expected = np.where(colors()[..., :1] > 127, 255, 0)
    np.testing.assert_array_equal(read_image(tmp_path / "bits.png"), expected)


def test_sixteen_bits_lose_the_lower_eight(tmp_path):
    wide = np.random.default_rng(0).integers(0, 2**16, (5, 7)).astype(np.uint16)
    Image.fromarray(wide).save(tmp_path / "wide.png")
    Image.fromarray(wide).save(tmp_path / "wide.tiff")
    for name in ("wide.png", "wide.tiff"):
        np.testing.assert_array_equal(read_image(tmp_path / name)[..., 0], wide >> 8)


def test_transparent_pixels_are_white(tmp_path):
    alpha = np.array([[0, 128, 255]], np.uint8)
    pixels = np.dstack([np.full((1, 3, 3), 100, np.uint8), alpha])
    Image.fromarray(pixels).save(tmp_path / "rgba.png")
    # 100 at an opacity of 128 / 255 over white: 100 * 0.502 + 255 * 0.498 = 177.2
    expected = [[[255] * 3, [177] * 3, [100] * 3]]
    np.testing.assert_array_equal(read_image(tmp_path / "rgba.png"), expected)
    Image.fromarray(pixels[..., 2:]).save(tmp_path / "la.png")
    np.testing.assert_array_equal(read_image(tmp_path / "la.png"), np.array(expected)[..., :1])


def test_a_transparent_gray_is_white(tmp_path):
    gray = colors()[..., 0]
    gray[0, :3] = 77
    Image.fromarray(gray).save(tmp_path / "gray.png", transparency=77)
    Image.fromarray(gray.astype(np.uint16) * 256).save(tmp_path / "deep.png", transparency=77 * 256)
    expected = np.where(gray == 77, 255, gray)
    np.testing.assert_array_equal(read_image(tmp_path / "gray.png")[..., 0], expected)
    np.testing.assert_array_equal(read_image(tmp_path / "deep.png")[..., 0], expected)


def test_image_files(tmp_path):
    for name in ("b.PNG", "a.jpg", "sub/ä c.webp", ".hidden.png", ".cache/x.png", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "dangling.png").symlink_to("nowhere.png")
    found = [path.relative_to(tmp_path).as_posix() for path in image_files(tmp_path)]
    assert found == ["a.jpg", "b.PNG", "sub/ä c.webp"]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(tmp_path, orientation):
    # Where the first row and column of the file belong, from the EXIF standard's table.
    upright = {
        1: lambda x: x,
        2: lambda x: x[:, ::-1],
        3: lambda x: x[::-1, ::-1],
        4: lambda x: x[::-1],
        5: lambda x: x.transpose(1, 0, 2),
        6: lambda x: x.transpose(1, 0, 2)[:, ::-1],
        7: lambda x: x.transpose(1, 0, 2)[::-1, ::-1],
        8: lambda x: x.transpose(1, 0, 2)[::-1],
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(colors()).save(tmp_path / "turned.png", exif=exif)
    np.testing.assert_array_equal(read_image(tmp_path / "turned.png"), upright(colors()))


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n and then nothing"])
def test_what_is_no_image(tmp_path, content):
    path = tmp_path / "bad.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImageError, match=r"bad\.png cannot be read as an image"):
        read_image(path)


def test_cut_off_file(tmp_path):
    path = tmp_path / "cut.jpg"
    Image.fromarray(colors(64, 64)).save(path)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UnreadableImageError, match=r"cut\.jpg cannot be read"):
        read_image(path)
    with pytest.raises(FileNotFoundError):
        read_image(tmp_path / "absent.png")


@pytest.mark.parametrize("kind", ["BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP"])
def test_formats_are_known_by_their_content(tmp_path, kind):
    path = tmp_path / "image.png"
    image = Image.fromarray(colors()).quantize(16) if kind == "GIF" else Image.fromarray(colors())
    image.save(path, kind)
    with Image.open(path) as image:
        np.testing.assert_array_equal(read_image(path), np.asarray(image.convert("RGB")))


def test_other_formats_are_refused(tmp_path):
    path = tmp_path / "image.png"
    for kind in ("EPS", "ICO", "PCX", "TGA"):  # Ghostscript would read the first
        Image.fromarray(colors()).save(path, kind)
        sentence = "its content is not BMP, GIF, JPEG, PNG, PPM, TIFF"
        with pytest.raises(UnreadableImageError, match=sentence):
            read_image(path)


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")  # opening it would wait for a writer
    for path in (tmp_path / "pipe.png", tmp_path):
        with pytest.raises(UnreadableImageError, match="it is not a regular file"):
            read_image(path)
    Image.fromarray(colors()).save(tmp_path / "rgb.png")
    (tmp_path / "link.png").symlink_to("rgb.png")
    np.testing.assert_array_equal(read_image(tmp_path / "link.png"), colors())


def png_without_pixels(path, width, height):
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = b""
    for chunk in (header, b"IDAT"):
        chunks += struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


@pytest.mark.parametrize("read", [read_image, read_mask])
def test_the_number_of_pixels_is_checked_before_any_is_decoded(tmp_path, read):
    png_without_pixels(tmp_path / "bomb.png", 2_000_000, 1_000_000)
    sentence = r"bomb\.png cannot .* has 2000000x1000000 pixels, more than .*`--max-pixels`"
    with pytest.raises(UnreadableImageError, match=sentence):
        read(tmp_path / "bomb.png")
    png_without_pixels(tmp_path / "small.png", 20, 30)
    with pytest.raises(UnreadableImageError, match="has 20x30 pixels, more than 599"):
        read(tmp_path / "small.png", max_pixels=599)
    with pytest.raises(UnreadableImageError, match="truncated"):
        read(tmp_path / "small.png", max_pixels=600)


def test_max_pixels(tmp_path):
    Image.fromarray(colors()).save(tmp_path / "rgb.png")
    assert read_image(tmp_path / "rgb.png", max_pixels=35).shape == (5, 7, 3)
    with pytest.raises(UnreadableImageError, match="it has 7x5 pixels, more than 34; "):
        read_image(tmp_path / "rgb.png", max_pixels=34)
    with pytest.raises(UsageError, match="`max_pixels` must be an int of at least 1; got max_pix"):
        read_image(tmp_path / "rgb.png", max_pixels=0)


def test_pillows_limit_stays_and_does_not_count(tmp_path, monkeypatch):
    """Pillow's reader of TIFF checks the limit again when it decodes."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    large, small = colors(60, 70), colors(20, 30)
    Image.fromarray(large).save(tmp_path / "large.tif")
    Image.fromarray(small).save(tmp_path / "small.tif")
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "large.tif")
    with ThreadPoolExecutor(8) as pool:
        names = ["large.tif", "small.tif"] * 100
        found = list(pool.map(lambda name: read_image(tmp_path / name), names))
    for image, expected in zip(found, [large, small] * 100, strict=True):
        np.testing.assert_array_equal(image, expected)
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_prepare_averages_when_it_shrinks():
    image = np.zeros((4, 4, 1), np.uint8)
    image[::2] = 255
    # Every second row is white: shrunk with antialiasing, all is gray, not black or white.
    small = prepare(tf.constant(image), (2, 4)).numpy()
    assert small.shape == (2, 4, 1)
    assert small.min() > 0.35
    assert small.max() < 0.65
    np.testing.assert_allclose(prepare(tf.constant(image), (4, 4)), image / 255, rtol=1e-6)


def test_channels_of_unknown_number():
    @tf.function(input_signature=[tf.TensorSpec((None, None, None), tf.uint8)])
    def gray(image):
        return to_channels(image, 1)

    rgba = np.dstack([colors(), np.full((5, 7), 255, np.uint8)])
    expected = np.asarray(Image.fromarray(colors()).convert("L"))[..., np.newaxis]
    np.testing.assert_array_equal(gray(colors()), expected)
    np.testing.assert_array_equal(gray(rgba), expected)
    np.testing.assert_array_equal(gray(expected), expected)
    with pytest.raises(tf.errors.InvalidArgumentError, match="1, 3 or 4 channels"):
        gray(rgba[..., :2])


@pytest.mark.parametrize("given", [1, 3, 4])
@pytest.mark.parametrize("channels", [1, 3])
def test_arrays_are_converted_as_tensors_are(given, channels):
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, given), np.uint8)
    found = to_channels(images, channels)
    assert isinstance(found, np.ndarray)
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, to_channels(tf.constant(images), channels))


def test_bytes_are_decoded_as_files_are(tmp_path):
    path = tmp_path / "image.png"
    pixels = np.random.default_rng(0).integers(0, 256, (5, 4, 4), np.uint8)
    Image.fromarray(pixels).save(path)
    encoded = path.read_bytes()
    assert EncodedImage(encoded).size == (4, 5)
    for channels in (1, 3):
        np.testing.assert_array_equal(
            EncodedImage(encoded).decode(channels), read_image(path, channels=channels)
        )
    with pytest.raises(TooManyPixelsError, match=r"it has 4x5 pixels, more than 19"):
        EncodedImage(encoded).decode(max_pixels=19)
    with pytest.raises(UnreadableImageError, match="its content is not JPEG"):
        EncodedImage(encoded, formats=("JPEG",))
    with pytest.raises(UnreadableImageError, match="A file of 30 bytes cannot be read as an image"):
        EncodedImage(encoded[:30]).decode()
