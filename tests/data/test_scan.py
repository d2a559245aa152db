import numpy as np
import pytest
from PIL import Image

from kerascnn.data import FolderWarning, SkippedImageWarning, load_classification
from kerascnn.data.scan import facts_of, read_facts
from tests.data import folders


def jpegs(root, count=4, side=32):
    rng = np.random.default_rng(0)
    paths = []
    for i in range(count):
        image = rng.integers(0, 256, (4, 6, 3), np.uint8).repeat(side // 4, 0).repeat(side // 4, 1)
        paths.append(folders.save(root / f"{i}.jpg", image, exif=folders.exif(6 if i else 1)))
    return paths


def test_jpeg_files_are_checked_at_an_eighth_of_their_size(tmp_path):
    paths = jpegs(tmp_path)
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


def test_images_that_only_look_equal_when_small_are_not_equal(tmp_path):
    """A pixel of difference, which an eighth of the size does not show."""
    image = np.full((64, 64, 3), 128, np.uint8)
    image[:32] = 20
    folders.save(tmp_path / "a.jpg", image, quality=95)
    image[20, 20] += 12
    folders.save(tmp_path / "b.jpg", image, quality=95)
    folders.save(tmp_path / "c.jpg", Image.open(tmp_path / "a.jpg"), quality="keep")
    paths = sorted(tmp_path.iterdir())
    digests = [facts_of(path, None, reduced=True).digest for path in paths]
    facts = read_facts(paths, None, strict=True)
    a, b, c = (facts[path].digest for path in paths)
    assert a == c
    assert a != b
    assert digests[0] == digests[2]


def test_a_cut_jpeg_is_seen_at_an_eighth_of_its_size(tmp_path):
    for name in ("cats", "dogs"):
        jpegs(tmp_path / name)
    path = tmp_path / "cats" / "2.jpg"
    path.write_bytes(path.read_bytes()[:-60])
    with pytest.warns((SkippedImageWarning, FolderWarning)) as told:
        load_classification(tmp_path)
    assert any("2.jpg cannot be read" in str(warning.message) for warning in told)
