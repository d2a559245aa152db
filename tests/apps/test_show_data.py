import re

import numpy as np
import pytest
from PIL import Image

from tests.apps.commands import image_size, output
from tests.apps.conftest import TASKS


def test_show_data(pictures, tmp_path, capsys):
    picture = tmp_path / "new" / "digits.png"
    text = output(capsys, "classify", "show-data", "--out", picture).out
    assert text.split()[-1] == str(picture)
    assert min(image_size(picture)) > 300
    colors = tmp_path / "colors.png"
    output(
        capsys, "classify", "show-data", "--data", pictures, "--recipe", "quick", "--out", colors
    )
    assert np.asarray(Image.open(colors).convert("RGB")).std(axis=-1).max() > 50
    error = output(capsys, "classify", "show-data", "--recipe", "pie", status=2).err
    assert "`recipe` must be one of" in error
    mixed = tmp_path / "mixed.png"
    changes = ("--augment", "mixup=0.4", "--augment", "cutout=0.5")
    output(capsys, "classify", "show-data", "--data", pictures, *changes, "--out", mixed)
    output(capsys, "classify", "show-data", "--data", pictures, "--out", colors, "--force")
    # Below every image stands what it was mixed from.
    assert image_size(mixed) == image_size(colors)
    assert np.abs(np.asarray(Image.open(mixed), float) - np.asarray(Image.open(colors))).mean() > 1


@pytest.mark.parametrize("name", ["plot", "plot.xyz"])
def test_a_file_that_matplotlib_does_not_write(name, tmp_path, capsys):
    out = tmp_path / name
    error = output(capsys, "classify", "show-data", "--out", out, status=2).err
    assert ".pdf, " in error
    assert f".png, .ps, .raw, .rgba, .svg, .svgz, .tif, .tiff, .webp; got {out}." in error
    assert not any(tmp_path.iterdir())


@pytest.mark.parametrize("task", TASKS)
def test_every_task_shows_its_data(task, train_words, tmp_path, capsys):
    words = train_words[task]
    data = words[words.index("--data") : words.index("--data") + 2]
    text = output(capsys, task, "show-data", *data, "--out", tmp_path / "data.png").out
    assert text == f"plot:        {tmp_path / 'data.png'}\n"
    drawn = np.asarray(Image.open(tmp_path / "data.png").convert("RGB"), float)
    assert min(drawn.shape[:2]) > 300
    assert drawn.std() > 20  # not a blank page


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("mixup", "`--augment` must have the form NAME=VALUE; got 'mixup'"),
        ("blur=1", "`augment` must be one of 'flip', 'crop', .*; got augment='blur'"),
        ("mixup=a", r"`mixup` must be a number in \[0, 10\]; got mixup='a'"),
    ],
)
def test_wrong_augmentation(change, sentence, capsys):
    error = output(capsys, "classify", "show-data", "--augment", change, status=2).err
    assert re.search(sentence, error), error
