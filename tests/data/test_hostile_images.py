import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerascnn.data.file_tree import find_images
from tests import fresh_process
from tests.data import hostile_images
from tests.nightly import every_night
from tests.runs.commands import commands, digests

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "tests" / "runs" / "before" / "classification"
LIMIT = 2 * 2**30


def read_in_a_process(folder):
    """`([(name, reader, line)], peak memory in bytes)` of a process that reads all files."""
    program = "import sys; from tests.data import hostile_images as h; h.read_all(sys.argv[1])"
    *lines, last = fresh_process.output(program, folder).splitlines()
    return [line.split("\t", 2) for line in lines], int(last.removeprefix("peak "))


def check(tmp_path, count):
    hostile_images.make(tmp_path / "files", count)
    before = {path.name: path.read_bytes() for path in find_images(tmp_path / "files").images}
    lines, peak = read_in_a_process(tmp_path / "files")
    assert len(lines) == 3 * count
    assert not [line for line in lines if line[2].startswith("FAULT")]
    assert {line[2] for line in lines if line[0].startswith("whole")} <= {
        "ok",
        *(line[2] for line in lines if "of mode RGB with colors" in line[2]),
    }
    assert peak < LIMIT
    for name, reader, line in lines:
        if name.startswith("bomb") or name in ("fifo.png", "folder.png", "eps.png", "pdf.png"):
            assert line != "ok", (name, reader)
    assert before == {
        path.name: path.read_bytes() for path in find_images(tmp_path / "files").images
    }


@pytest.mark.parametrize("count", every_night((24, 60, 235), daily=(24,)))
def test_a_command_on_hostile_images(tmp_path, count):
    """All of them at once, then a command for each file that one cannot read."""
    hostile_images.make(tmp_path / "files", count)
    shutil.copytree(RUN, tmp_path / "run")
    before = digests(tmp_path)
    with commands() as run:
        words = ["classify", "predict", "run"]
        ended = [run([*words, "files"], tmp_path, timeout=300)]
        names = sorted(path.name for path in (tmp_path / "files").iterdir())
        step = 1 if count > 100 else 8  # a command for every eighth file by day
        ended += [run([*words, f"files/{name}"], tmp_path) for name in names[::step]]
    for one in ended:
        assert one.status in (0, 1, 2), one  # None: it was stopped after its time
        assert "unexpected" not in one.err, one.err
        assert "Traceback" not in one.err, one.err
        assert one.status == 0 or one.err
        assert one.peak < LIMIT
    assert digests(tmp_path) == before


def test_hostile_images(tmp_path):
    check(tmp_path, 120)


@pytest.mark.nightly
def test_many_hostile_images(tmp_path):
    check(tmp_path, 600)


@pytest.mark.nightly
@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "L", "LA"])
def test_an_image_takes_at_most_eight_bytes_a_pixel(tmp_path, mode):
    """Beside what an empty image takes, and half a byte for what is converted at a time."""
    (tmp_path / "small").mkdir()
    (tmp_path / "large").mkdir()
    side = 5000
    Image.new(mode, (1, 1)).save(tmp_path / "small" / "1.png")
    Image.new(mode, (side, side)).save(tmp_path / "large" / "1.png")
    _, least = read_in_a_process(tmp_path / "small")
    lines, most = read_in_a_process(tmp_path / "large")
    assert {line[2] for line in lines} == {"ok"}
    assert (most - least) / side**2 < 9


def test_a_large_image_is_read_in_bands(tmp_path):
    image = np.random.default_rng(0).integers(0, 256, (1100, 1000, 4), np.uint8)
    Image.fromarray(image).save(tmp_path / "large.png")
    from kerascnn.data import read_image

    white = Image.new("RGBA", (1000, 1100), "white")
    white.alpha_composite(Image.fromarray(image))
    expected = np.asarray(white.convert("RGB")).astype(int)
    assert np.abs(read_image(tmp_path / "large.png") - expected).max() <= 1
