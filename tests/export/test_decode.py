import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from sklearn.datasets import load_sample_image

from kerascnn.data import read_image
from kerascnn.export.decode import decode_image
from tests import fresh_process

PHOTO = load_sample_image("flower.jpg")[100:233, 200:311]
DECODE = {
    channels: tf.function(
        lambda encoded, channels=channels: decode_image(encoded, channels),
        input_signature=[tf.TensorSpec((), tf.string)],
    )
    for channels in (1, 3)
}


def encoded(image, file_format, **options):
    buffer = io.BytesIO()
    image.save(buffer, file_format, **options)
    return buffer.getvalue()


def see_through(image):
    image = image.convert("RGBA")
    alpha = np.linspace(0, 255, image.width * image.height).astype(np.uint8)
    image.putalpha(Image.fromarray(alpha.reshape(image.height, image.width)))
    return image


def exif(orientation, order="<"):
    found = Image.Exif()
    found[0x010F] = "Camera"  # a text first, so that orientation is not the first entry
    found[0x0112] = orientation
    found.endian = order
    return found.tobytes()


RGB = Image.fromarray(PHOTO)
FILES = {
    "png rgb": encoded(RGB, "PNG"),
    "png gray": encoded(RGB.convert("L"), "PNG"),
    "png bits": encoded(RGB.convert("1"), "PNG"),
    "png palette of 4 colors": encoded(RGB.quantize(4), "PNG"),
    "png palette of 16 colors": encoded(RGB.quantize(16), "PNG"),
    "png palette of 16 colors, one transparent": encoded(RGB.quantize(16), "PNG", transparency=3),
    "png palette": encoded(RGB.quantize(64), "PNG"),
    "png palette with a transparent color": encoded(RGB.quantize(64), "PNG", transparency=3),
    "png rgba": encoded(see_through(RGB), "PNG"),
    "png gray with alpha": encoded(see_through(RGB).convert("LA"), "PNG"),
    "png 16 bits": encoded(Image.fromarray(PHOTO[..., 0].astype(np.uint16) * 255 + 77), "PNG"),
    "png gray with a transparent one": encoded(RGB.convert("L"), "PNG", transparency=100),
    "png bits with white transparent": encoded(RGB.convert("1"), "PNG", transparency=0),
    **{f"png turned {i}": encoded(RGB, "PNG", exif=exif(i)) for i in (1, 3, 6)},
    "jpeg": encoded(RGB, "JPEG"),
    "jpeg without subsampling": encoded(RGB, "JPEG", subsampling=0, quality=95),
    "jpeg progressive": encoded(RGB, "JPEG", progressive=True, quality=60),
    "jpeg gray": encoded(RGB.convert("L"), "JPEG"),
    **{f"jpeg turned {i}": encoded(RGB, "JPEG", exif=exif(i)) for i in range(1, 9)},
    "jpeg turned, big-endian": encoded(RGB, "JPEG", exif=exif(6, ">")),
    "jpeg turned, nonsense": encoded(RGB, "JPEG", exif=exif(77)),
    "jpeg with a comment before": encoded(RGB, "JPEG", comment=b"x" * 5000, exif=exif(8)),
}


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("name", FILES)
def test_the_graph_sees_what_pillow_sees(name, channels, tmp_path):
    (tmp_path / "image").write_bytes(FILES[name])
    expected = read_image(tmp_path / "image", channels)
    found = DECODE[channels](FILES[name]).numpy()
    np.testing.assert_array_equal(found, expected)


def bomb(side):
    """A PNG file of one bit a pixel, of which zlib leaves almost nothing."""
    return encoded(Image.new("1", (side, side)), "PNG", optimize=True)


@pytest.mark.parametrize("file_format", ["PNG", "JPEG"])
def test_the_limit_of_pixels(file_format):
    file = encoded(RGB, file_format)
    count = RGB.width * RGB.height
    assert decode_image(tf.constant(file), 3, count).shape == (RGB.height, RGB.width, 3)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"at most {count - 1} pixels"):
        decode_image(tf.constant(file), 3, count - 1)


def test_the_size_is_read_behind_other_segments():
    """What comes before the size in a JPEG file does not hide it."""
    for filling in (b"\xff\x01", b"\xff\xff\xff", b"\xff\xd0", b"\xff\xfe\x00\x06\xff\xc0\x00\x01"):
        file = FILES["jpeg"][:2] + filling + FILES["jpeg"][2:]
        with pytest.raises(tf.errors.InvalidArgumentError, match="at most 99 pixels"):
            decode_image(tf.constant(file), 3, 99)


def test_other_files_are_refused():
    for file in (b"", b"no image", encoded(RGB, "GIF"), encoded(RGB, "BMP")):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must be a PNG or JPEG file"):
            DECODE[3](file)
    for file in (FILES["png rgb"][:20], FILES["jpeg"][:30]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="must have a size in its header"):
            DECODE[3](file)


MEMORY = """
import resource, sys
import tensorflow as tf
from kerascnn.export.decode import decode_image

@tf.function(input_signature=[tf.TensorSpec((), tf.string)])
def brightest(encoded):
    return tf.reduce_max(decode_image(encoded, 3))

def peak():
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

small, *files = (open(name, "rb").read() for name in sys.argv[1:])
brightest(small)
for file in files:
    before = peak()
    try:
        brightest(file)
    except tf.errors.InvalidArgumentError:
        print("refused", end=" ")
    print(peak() - before)
"""


def test_memory_of_large_files(tmp_path):
    """A file of 400 megapixels is refused; transparent colors take up to 8 bytes a pixel."""
    side = 3000
    large = encoded(Image.new("RGBA", (side, side), (90, 10, 30, 77)), "PNG")
    names = []
    for name, file in (("small", FILES["png rgba"]), ("bomb", bomb(20_000)), ("large", large)):
        names.append(tmp_path / f"{name}.png")
        names[-1].write_bytes(file)
    refused, decoded = fresh_process.output(MEMORY, *names).splitlines()
    assert int(refused.removeprefix("refused ")) < 20e6
    assert int(decoded) <= 8 * side**2 + 20e6  # bands in between


def test_a_jpeg_with_a_broken_exif_segment_is_upright(tmp_path):
    whole = FILES["jpeg turned 6"]
    at = whole.index(b"Exif\0\0") + 6
    broken = whole[: at + 4] + b"\xff\xff\xff\x7f" + whole[at + 8 :]  # the directory is nowhere
    (tmp_path / "whole").write_bytes(FILES["jpeg"])
    np.testing.assert_array_equal(DECODE[3](broken).numpy(), read_image(tmp_path / "whole", 3))


def test_gray_of_sixteen_bits_is_scaled_by_the_range_of_the_training(tmp_path):
    values = np.random.default_rng(0).integers(0, 5000, (9, 14)).astype(np.uint16)
    Image.fromarray(values).save(tmp_path / "deep.png")
    ranges = {"uint16": (0, 4095)}
    file = (tmp_path / "deep.png").read_bytes()
    for channels in (1, 3):
        expected = read_image(tmp_path / "deep.png", channels, value_ranges=ranges)
        assert expected.max() == 255  # clipped; the upper eight bits alone would be below 20
        found = decode_image(tf.constant(file), channels, value_ranges=ranges).numpy()
        np.testing.assert_array_equal(found, expected)
    eight = FILES["png rgba"]
    (tmp_path / "eight.png").write_bytes(eight)
    found = decode_image(tf.constant(eight), 3, value_ranges=ranges).numpy()
    np.testing.assert_array_equal(found, read_image(tmp_path / "eight.png", 3))
