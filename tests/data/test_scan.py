import numpy as np
import pytest
from PIL import Image

from kerascnn.data import FolderWarning, SkippedImageWarning, load_classification, scan
from kerascnn.data.scan import facts_of, read_facts
from tests.data import folders


def jpegs(root, count=4, side=32, **options):
    rng = np.random.default_rng(0)
    paths = []
    for i in range(count):
        image = rng.integers(0, 256, (4, 6, 3), np.uint8).repeat(side // 4, 0).repeat(side // 4, 1)
        exif = folders.exif(6 if i else 1)
        paths.append(folders.save(root / f"{i}.jpg", image, exif=exif, **options))
    return paths


def test_other_jpeg_files_than_plain_ones_are_checked_at_an_eighth_of_their_size(tmp_path):
    paths = jpegs(tmp_path, progressive=True)
    reduced = read_facts(paths, None, strict=True)
    for path in paths:
        full = facts_of(path)
        assert (
            reduced[path].shape == full.shape == ((32, 48, 3) if path == paths[0] else (48, 32, 3))
        )
        assert reduced[path].orientation == full.orientation
        assert reduced[path].digest != full.digest
        assert reduced[path].digest[1] in ((4, 6, 3), (6, 4, 3))
    # One of another format, and all are read in full: equal pixels are found across formats.
    copy = tmp_path / "copy.png"
    Image.open(paths[0]).save(copy)
    facts = read_facts([*paths, copy], None, strict=True)
    assert facts[copy].digest == facts[paths[0]].digest == facts_of(paths[0]).digest


def test_jpeg_files_among_others_are_decoded_only_if_they_may_be_equal(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    kinds = {}
    for i in range(6):
        # Blocks of one value each, which JPEG keeps when it is compressed again
        image = rng.integers(0, 256, (4, 6), np.uint8).repeat(8, 0).repeat(8, 1)
        kinds[f"{i}.jpg"] = folders.save(tmp_path / f"{i}.jpg", image)
    first = Image.open(kinds["0.jpg"])
    first.save(tmp_path / "copy.png")
    half = np.asarray(first).copy()
    half[16:] = 0
    folders.save(tmp_path / "half.png", half)  # the same first rows
    folders.save(tmp_path / "color.png", np.asarray(first.convert("RGB")))
    folders.save(tmp_path / "packed.jpg", Image.open(kinds["1.jpg"]), quality="keep", optimize=True)
    slow = {"quality": "keep", "progressive": True}
    folders.save(tmp_path / "slow.jpg", Image.open(kinds["2.jpg"]), **slow)
    read = []
    monkeypatch.setattr(scan, "facts_of", lambda path, *a, **k: read.append(path) or facts_of(path))
    paths = sorted(tmp_path.iterdir())
    facts = {path.name: fact for path, fact in read_facts(paths, None, strict=True).items()}
    assert [path.name for path in paths] == list(facts)
    assert {name for name, fact in facts.items() if fact.plain} == {*kinds, "packed.jpg"}
    assert {path.name for path in read} == {
        *("copy.png", "color.png", "half.png", "slow.jpg"),
        *("0.jpg", "1.jpg", "2.jpg", "packed.jpg"),
    }
    equal = [("0.jpg", "copy.png"), ("1.jpg", "packed.jpg"), ("2.jpg", "slow.jpg")]
    for one, other in equal:
        assert facts[one].digest == facts[other].digest
    assert len({fact.digest for fact in facts.values()}) == len(facts) - len(equal)


def test_images_that_only_look_equal_when_small_are_not_equal(tmp_path):
    """A pixel of difference, which an eighth of the size does not show."""
    image = np.full((64, 64, 3), 128, np.uint8)
    image[:32] = 20
    folders.save(tmp_path / "a.jpg", image, quality=95, progressive=True)
    image[20, 20] += 12
    folders.save(tmp_path / "b.jpg", image, quality=95, progressive=True)
    again = {"quality": "keep", "progressive": True}
    folders.save(tmp_path / "c.jpg", Image.open(tmp_path / "a.jpg"), **again)
    paths = sorted(tmp_path.iterdir())
    digests = [facts_of(path, None, reduced=True).digest for path in paths]
    facts = read_facts(paths, None, strict=True)
    a, b, c = (facts[path].digest for path in paths)
    assert a == c
    assert a != b
    assert digests[0] == digests[2]


@pytest.mark.parametrize("progressive", [False, True])
def test_a_cut_jpeg_is_seen(progressive, tmp_path):
    for name in ("cats", "dogs"):
        jpegs(tmp_path / name, progressive=progressive)
    path = tmp_path / "cats" / "2.jpg"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.warns((SkippedImageWarning, FolderWarning)) as told:
        load_classification(tmp_path)
    assert any("2.jpg cannot be read" in str(warning.message) for warning in told)
