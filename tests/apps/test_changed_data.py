"""Data that change, with equal counts, after a run was started on them."""

import json
import shutil
import warnings

import pytest
from PIL import Image

from kerascnn.runs import ChangedDataWarning
from tests.nightly import every_night

from .commands import output
from .conftest import FOLDERS

# Of each task, a file of its training images or masks
FILES = {
    "classify": "classify/a/4.png",
    "segment": "segment/masks/3.png",
    "upscale": "upscale/4.png",
    "reconstruct": "classify/a/4.png",
}


def change(path):
    """Turns an image upside down."""
    with Image.open(path) as image:
        turned = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    turned.save(path)


@pytest.fixture
def unfinished(tmp_path, scenery, train_words, capsys):
    """Makes, for a task, the words of a command and the run that it left unfinished."""

    def of(task):
        folder, run = tmp_path / FOLDERS[task], tmp_path / "run"
        shutil.copytree(scenery / FOLDERS[task], folder)
        words = [str(folder) if word == str(scenery / FOLDERS[task]) else word
                 for word in train_words[task]]  # fmt: skip
        words += ["--out", str(run)]
        output(capsys, *words)
        (run / "metrics.json").unlink()
        return words, run

    return of


@pytest.mark.parametrize("task", every_night(FILES, {"segment"}))
@pytest.mark.filterwarnings("ignore:.*masks")
def test_a_run_is_not_resumed_on_changed_data(task, unfinished, tmp_path, capsys):
    words, run = unfinished(task)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    path = tmp_path / FILES[task]
    same = path.read_bytes()
    change(path)
    error = output(capsys, *words, status=2).err
    sentence = f"{run} has a run that was started with other images, labels or splits of"
    assert sentence in " ".join(error.split())
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before
    path.write_bytes(same)
    output(capsys, *words)
    assert (run / "metrics.json").is_file()


def test_a_run_of_an_earlier_version_is_resumed(unfinished, tmp_path, capsys):
    """Its record has no fingerprint, so that nobody knows whether the data have changed."""
    words, run = unfinished("upscale")
    recipe = json.loads((run / "recipe.json").read_text())
    assert len(recipe["data"].pop("fingerprint")) == 16
    (run / "recipe.json").write_text(json.dumps(recipe))
    change(tmp_path / FILES["upscale"])
    output(capsys, *words)
    assert (run / "metrics.json").is_file()


def test_evaluate_warns_of_changed_data(unfinished, tmp_path, capsys):
    words, run = unfinished("classify")
    output(capsys, *words)
    with warnings.catch_warnings(action="error", category=ChangedDataWarning):
        output(capsys, "classify", "evaluate", run)
    change(tmp_path / FILES["classify"])
    with pytest.warns(ChangedDataWarning, match="had other images, labels or splits when"):
        output(capsys, "classify", "evaluate", run)
