import io
import os

import numpy as np
import pytest
from PIL import Image, ImageCms

from kerascnn.data import (
    SkippedImageWarning,
    UnreadableImageError,
    load_classification,
    read_image,
)
from kerascnn.data.images import EncodedImage, read_encoded
from kerascnn.data.jpeg import plain_jpeg, read_plain_jpeg, top_of, tops
from kerascnn.data.scan import FolderWarning, read_facts
from tests.data import folders

RGB, GRAY = (24, 40, 3), (24, 40)
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def pixels(shape=RGB, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (4, 5, *shape[2:]), np.uint8)
    return small.repeat(shape[0] // 4, 0).repeat(shape[1] // 5, 1)


def encoded(shape=RGB, seed=0, **options):
    file = io.BytesIO()
    Image.fromarray(pixels(shape, seed)).save(file, "JPEG", **options)
    return file.getvalue()


PLAIN = {
    "4:2:0": encoded(),
    "4:2:2": encoded(subsampling=1),
    "4:4:4, best": encoded(subsampling=0, quality=100),
    "worst": encoded(quality=1),
    "own codes": encoded(optimize=True),
    "restarts": encoded(restart_marker_blocks=1),
    "gray": encoded(GRAY),
    "gray, own codes": encoded(GRAY, optimize=True),
    "a comment": encoded(seed=1, comment=b"\xff\xd9 is the end"),
    "RGB, not YCbCr": encoded(keep_rgb=True, subsampling=0),
    "smaller than a block": encoded((4, 5), quality=50),
    "something after the end": encoded(seed=2) + b"\xff\xd8 more",
    "EXIF": encoded(seed=3, exif=folders.exif(1)),
    "a profile of its colors": encoded(seed=4, icc_profile=SRGB),
}


def decoders(data, path, channels):
    """The pixels by Pillow and by TensorFlow."""
    path.write_bytes(data)
    return EncodedImage(data).decode(channels), read_plain_jpeg(str(path), channels).numpy()


@pytest.mark.parametrize("name", PLAIN)
def test_plain_files_are_decoded_as_pillow_does(name, tmp_path):
    found = plain_jpeg(PLAIN[name])
    assert found.shape == EncodedImage(PLAIN[name]).decode().shape
    for channels in {found.shape[2], 3}:
        ours, theirs = decoders(PLAIN[name], tmp_path / "x.jpg", channels)
        np.testing.assert_array_equal(ours, theirs)


def cmyk():
    file = io.BytesIO()
    Image.fromarray(pixels()).convert("CMYK").save(file, "JPEG")
    return file.getvalue()


def two_in_one():
    file, images = io.BytesIO(), [Image.fromarray(pixels(seed=i)) for i in range(2)]
    images[0].save(file, "MPO", save_all=True, append_images=images[1:])
    return file.getvalue()


def without(data, marker):
    """A file without its first segment of a marker."""
    place = data.index(b"\xff" + bytes([marker]))
    length = int.from_bytes(data[place + 2 : place + 4], "big")
    return data[:place] + data[place + 2 + length :]


@pytest.mark.parametrize(
    "data",
    [
        encoded(progressive=True),
        cmyk(),
        two_in_one(),
        encoded()[:-2],
        encoded()[:-60],
        encoded()[:100],
        without(encoded(), 0xDB),
        without(encoded(), 0xC4),
        without(encoded(), 0xC0),
        b"",
        b"\xff\xd8\xff",
        b"\x89PNG\r\n\x1a\n",
        encoded().replace(b"\xff\xc0", b"\xff\xc9"),  # arithmetic codes
    ],
)
def test_other_files_are_not_plain(data):
    assert plain_jpeg(data) is None


def mutations(count, seed=0):
    """Plain files with a few bytes changed, left out or put in."""
    rng, sources = np.random.default_rng(seed), list(PLAIN.values())
    for _ in range(count):
        data = bytearray(sources[rng.integers(len(sources))])
        for _ in range(rng.integers(1, 4)):
            # Half of the changes are among the headers.
            place = int(rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(620))
            place, kind = min(place, len(data) - 1), rng.integers(4)
            if kind == 0:
                del data[place : place + int(rng.integers(1, 20))]
            elif kind == 1:
                data[place:place] = rng.bytes(int(rng.integers(1, 5)))
            else:
                data[place] = int(rng.choice([0, 1, 255, 0xD9, rng.integers(256)]))
        yield bytes(data)


def test_what_counts_as_plain_never_fails(tmp_path):
    """Both decoders read every mutated file that is still plain, to the same pixels."""
    plain = 0
    for data in mutations(3000):
        found = plain_jpeg(data)
        if found is None or np.prod(found.shape) > 10**6:
            continue
        if found.has_metadata:
            try:
                EncodedImage(data).orientation  # noqa: B018
            except UnreadableImageError:
                continue
        plain += 1
        ours, theirs = decoders(data, tmp_path / "x.jpg", found.shape[2])
        assert ours.shape == found.shape
        np.testing.assert_array_equal(ours, theirs)
    assert plain > 300  # mostly with changed codes and tables


def test_the_digest_is_of_the_pixels_alone():
    same = [encoded(), encoded(comment=b"words"), encoded(exif=folders.exif(1))]
    assert len({plain_jpeg(data).digest for data in same}) == 1
    others = [encoded(seed=1), encoded(quality=76), encoded(subsampling=0), encoded(GRAY)]
    assert len({plain_jpeg(data).digest for data in [same[0], *others]}) == 5


def test_files_of_equal_length_are_compared_in_full(tmp_path):
    """Two files that differ in one byte of their codes, away from the sample."""
    data = bytearray(encoded())
    start, stop = plain_jpeg(bytes(data)).codes
    place = next(i for i in range(start + 8, stop) if data[i - 1] < 128 and data[i] < 128)
    other = bytearray(data)
    other[place] ^= 1
    paths = [tmp_path / f"{i}.jpg" for i in range(3)]
    for path, content in zip(paths, (data, other, data), strict=True):
        path.write_bytes(content)
    assert plain_jpeg(bytes(data)).digest == plain_jpeg(bytes(other)).digest
    one, changed, copy = (fact.digest for fact in read_facts(paths, None, strict=True).values())
    assert one == copy != changed


def test_the_first_rows_are_those_of_the_whole_image(tmp_path):
    shapes = {}
    for i, data in enumerate(PLAIN.values()):
        (tmp_path / f"{i}.jpg").write_bytes(data)
        shapes[tmp_path / f"{i}.jpg"] = plain_jpeg(data).shape
    assert tops(shapes) == [list(top_of(read_image(path))) for path in shapes]
    assert tops({}) == []


@pytest.mark.parametrize("size", [4, 2**16 - 1, 2**16, 2**16 + 1, 200_000])
def test_files_are_read_to_their_end(tmp_path, size):
    content = np.random.default_rng(0).bytes(size)
    (tmp_path / "file").write_bytes(content)
    assert read_encoded(tmp_path / "file", content[:2]) == content
    assert read_encoded(tmp_path / "file", content[1:3]) is None


def test_other_files_than_regular_ones_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("pipe", ".", "none"):
        assert read_encoded(tmp_path / name, b"\xff") is None


def test_a_turned_image_and_one_of_too_many_pixels_are_not_read_as_plain(tmp_path):
    upright, turned = (
        folders.save(tmp_path / f"{i}.jpg", pixels(), exif=folders.exif(i)) for i in (1, 6)
    )
    facts = read_facts([upright, turned], None, strict=True)
    assert facts[upright].plain
    assert not facts[turned].plain
    assert facts[turned].shape == (40, 24, 3)
    with pytest.raises(UnreadableImageError, match="more than 900"):
        read_facts([upright], 900, strict=True)


def test_a_folder_of_all_kinds_is_read_as_each_alone(tmp_path):
    kinds = {**PLAIN, "progressive": encoded(progressive=True), "CMYK": cmyk()}
    kinds = {name: data for name, data in kinds.items() if name != "smaller than a block"}
    for i, data in enumerate(kinds.values()):
        path = tmp_path / "ab"[i % 2] / f"{i:02d}.jpg"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
    data = load_classification(tmp_path)
    seen = 0
    for split in data.num_examples:
        for name, image, _ in data.examples(split):
            np.testing.assert_array_equal(image, read_image(tmp_path / name, 3))
            seen += 1
    assert seen == len(kinds)


def test_dark_images_are_found_without_reading_all(tmp_path, monkeypatch):
    from kerascnn.data import scan

    read = []
    facts_of = scan.facts_of
    monkeypatch.setattr(scan, "facts_of", lambda path, *a, **k: read.append(path) or facts_of(path))
    for name in "ab":
        for i in range(5):
            folders.save(tmp_path / "light" / name / f"{i}.jpg", pixels(seed=10 * ord(name) + i))
            folders.save(
                tmp_path / "dark" / name / f"{i}.jpg", pixels(seed=10 * ord(name) + i) // 32
            )
    load_classification(tmp_path / "light")
    assert len(read) == 1
    with pytest.warns(FolderWarning, match=r"are in \[0, \d+\] of 255"):
        load_classification(tmp_path / "dark")


def test_dark_images_larger_than_the_default_limit(tmp_path, monkeypatch):
    from kerascnn.data import memory

    for name in "ab":
        for i in range(5):
            folders.save(tmp_path / name / f"{i}.jpg", pixels(seed=10 * ord(name) + i))
    monkeypatch.setattr(memory, "pixels_of_an_image", lambda: 100)
    data = load_classification(tmp_path, max_pixels=10**6)
    assert sum(data.num_examples.values()) == 10


def test_an_image_with_broken_metadata_is_skipped(tmp_path):
    for name in "ab":
        for i in range(3):
            folders.save(tmp_path / name / f"{i}.jpg", pixels(seed=10 * ord(name) + i))
    data = encoded()
    adobe = b"\xff\xee\x00\x08AdobeZ"  # cut
    assert plain_jpeg(data[:2] + adobe + data[2:]).has_metadata
    (tmp_path / "a" / "3.jpg").write_bytes(data[:2] + adobe + data[2:])
    with pytest.warns(SkippedImageWarning, match=r"3\.jpg cannot be read"):
        load_classification(tmp_path)
