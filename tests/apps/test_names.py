"""Names that a file system does not take, and names that are not UTF-8."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kerascnn.runs.out import default_out
from tests.apps.commands import output, predictions
from tests.nightly import every_night

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def console(*arguments, **environment):
    """The command as a process of its own; bytes, because not all of them are text."""
    program = "import sys; from kerascnn_apps.cli import main; sys.argv[0] = 'kerascnn'; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        check=False,
        env={**os.environ, **environment},
    )


def fits(name):
    return len(os.fsencode(name)) <= 255


@pytest.fixture
def odd_name(tmp_path):
    r"""A name with a byte that is not UTF-8, `caf\xe9`."""
    name = os.fsdecode(b"caf\xe9")
    try:
        (tmp_path / name).touch()
    except OSError:
        pytest.skip("the file system takes UTF-8 only")
    (tmp_path / name).unlink()
    return name


@pytest.mark.parametrize("environment", every_night([{}, ASCII], [{}]))
def test_errors_name_files_that_are_not_utf8(environment, tmp_path):
    names = ((b"nope\xff.keras", rb"nope\xff.keras"), ("é.keras".encode(), None))
    for name, shown in names if environment else names[:1]:
        result = console("summary", os.fsencode(tmp_path) + b"/" + name, **environment)
        assert result.returncode == 2
        assert result.stdout == b""
        assert result.stderr.startswith(b"kerascnn: There is no file ")
        assert result.stderr.count(b"\n") == 1
        assert b"Traceback" not in result.stderr
        if shown:
            assert shown in result.stderr


# Matplotlib's font has no such characters, and no room is left beside such a name.
@pytest.mark.filterwarnings(
    "ignore:Glyph", "ignore:No font has", "ignore:constrained_layout not applied"
)
def test_classes_with_long_and_odd_names(tmp_path, odd_name, capsys):
    """They failed after the training, when examples were saved or plots were drawn."""
    rng = np.random.default_rng(0)
    names = ["a" * 250, "猫" * 85, odd_name]
    for i, name in enumerate(names):
        (tmp_path / "data" / name).mkdir(parents=True)
        for j in range(10):
            image = rng.integers(0, 60, (28, 28, 3))
            image[..., i] += 180
            Image.fromarray(image.astype(np.uint8)).save(tmp_path / "data" / name / f"{j}.png")
    out = tmp_path / "run"
    train = ("classify", "train", "--data", tmp_path / "data", "--epochs", 1)
    text = output(capsys, *train, "--recipe", "quick", "--out", out).out
    assert "now:" in text
    shown = ["a" * 250, r"caf\xe9", "猫" * 85]
    recipe = json.loads((out / "recipe.json").read_text())
    assert recipe["data"]["class_names"] == shown
    examples = sorted(path.name for path in (out / "examples").iterdir())
    assert len(examples) == 3
    assert all(fits(name) for name in examples)
    results = predictions(capsys, out, tmp_path / "data" / odd_name / "1.png")
    assert results[0]["file"] == str(tmp_path / "data") + r"/caf\xe9/1.png"
    assert set(results[0]["probabilities"]) == set(shown)
    output(capsys, "classify", "evaluate", out, "--plots", tmp_path / "plots")
    # The default folder has the name of the data.
    (tmp_path / "data").rename(tmp_path / ("d" * 255))
    folder = default_out(tmp_path / ("d" * 255), "deeplabv3_resnet50", "train")
    assert folder.name.endswith("-deeplabv3_resnet50")
    assert fits(folder.name)


@pytest.mark.parametrize("task", every_night(["segment", "upscale"], {"upscale"}))
def test_predict_with_long_and_odd_names(task, small_runs, scenery, tmp_path, odd_name, capsys):
    source = scenery / "upscale" / "0.png"
    (tmp_path / "images" / odd_name).mkdir(parents=True)
    names = ["x" * 251, "猫" * 83, odd_name, f"{odd_name}/{odd_name}"]
    for name in names:
        shutil.copy(source, tmp_path / "images" / f"{name}.png")
    shutil.copy(source, tmp_path / "images" / ("y" * 255))  # an image without a suffix
    given = (tmp_path / "images", tmp_path / "images" / ("y" * 255))
    more = ("--probabilities",) if task == "segment" else ()
    predict = (task, "predict", small_runs[task], *given, "--out", tmp_path / "out", *more)
    results = json.loads(output(capsys, *predict, "--json").out)
    assert len(results) == 5
    written = [path for path in (tmp_path / "out").rglob("*") if path.is_file()]
    assert len(written) == 5 * (3 if task == "segment" else 1)
    assert all(fits(path.name) for path in written)


@pytest.mark.parametrize("task", every_night(["segment", "upscale"], {"upscale"}))
def test_training_on_long_and_odd_names(task, train_words, scenery, tmp_path, odd_name, capsys):
    data = tmp_path / odd_name
    shutil.copytree(scenery / task, data)
    for i, start in enumerate(("é" * 120, odd_name) * 5):
        for path in list(data.rglob(f"{i}.png")):
            path.rename(path.with_stem(f"{start}{i}"))
    words = list(train_words[task])
    words[words.index("--data") + 1] = data
    output(capsys, *words, "--out", tmp_path / "run")
    assert list((tmp_path / "run" / "examples").rglob("*.png"))
    output(capsys, task, "evaluate", tmp_path / "run")


def test_a_folder_of_a_run_that_is_not_utf8_is_refused(odd_name, tmp_path, capsys):
    error = output(capsys, "classify", "train", "--out", tmp_path / odd_name, status=2).err
    assert r"must be UTF-8; got" in error
    assert r"caf\xe9: choose another name." in error
    assert not list(tmp_path.iterdir())
