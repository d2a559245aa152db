"""Data that change, with equal counts, after a run was started on them."""

import json
import shutil
import warnings

import pytest
from PIL import Image

from kerascnn.runs import ChangedDataWarning
from tests.nightly import every_night

from .commands import output
from .conftest import FOLDERS, TASKS

SENTENCE = "has a run that was started with other images, labels or splits of"


@pytest.fixture
def unfinished(small_runs, tmp_path):
    """A function that copies the small run of a task, with another fingerprint, as unfinished."""

    def of(task, fingerprint):
        folder = shutil.copytree(small_runs[task], tmp_path / task)
        (folder / "metrics.json").unlink()
        recipe = json.loads((folder / "recipe.json").read_text())
        assert len(recipe["data"].pop("fingerprint")) == 16
        if fingerprint is not None:
            recipe["data"]["fingerprint"] = fingerprint
        (folder / "recipe.json").write_text(json.dumps(recipe))
        return folder

    return of


@pytest.mark.parametrize("task", every_night(TASKS, {"upscale"}))
def test_a_run_on_other_data_is_not_resumed(task, unfinished, train_words, capsys):
    folder = unfinished(task, "of other data")
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    error = output(capsys, *train_words[task], "--out", folder, status=2).err
    assert SENTENCE in error
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_a_run_of_an_earlier_version_is_resumed(unfinished, train_words, capsys):
    """Its record has no fingerprint, so that nobody knows whether the data have changed."""
    folder = unfinished("upscale", None)
    output(capsys, *train_words["upscale"], "--out", folder)
    assert (folder / "metrics.json").is_file()


def test_evaluate_warns_of_other_data(small_runs, unfinished, capsys):
    with warnings.catch_warnings(action="error", category=ChangedDataWarning):
        output(capsys, "classify", "evaluate", small_runs["classify"])
    with pytest.warns(ChangedDataWarning, match="had other images, labels or splits when"):
        output(capsys, "classify", "evaluate", unfinished("classify", "of other data"))


@pytest.mark.nightly  # by day: tests/data/test_fingerprint.py
def test_an_image_that_is_turned_upside_down(scenery, train_words, tmp_path, capsys):
    folder, run = tmp_path / FOLDERS["upscale"], tmp_path / "run"
    shutil.copytree(scenery / FOLDERS["upscale"], folder)
    words = [str(folder) if word == str(scenery / FOLDERS["upscale"]) else word
             for word in train_words["upscale"]]  # fmt: skip
    words += ["--out", str(run)]
    output(capsys, *words)
    (run / "metrics.json").unlink()
    same = (folder / "4.png").read_bytes()
    with Image.open(folder / "4.png") as image:
        turned = image.transpose(Image.Transpose.FLIP_TOP_BOTTOM)
    turned.save(folder / "4.png")
    assert SENTENCE in output(capsys, *words, status=2).err
    (folder / "4.png").write_bytes(same)
    output(capsys, *words)
    assert (run / "metrics.json").is_file()
