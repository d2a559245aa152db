import keras
import pytest

import kerascnn
from kerascnn_apps.cli import run


def told(capsys):
    """What was printed to standard error: one sentence."""
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("kerascnn: ")
    assert shown.err.count("\n") == 1
    assert shown.err.rstrip().endswith((".", "?"))
    return shown.err


def test_a_model_by_name(capsys):
    assert run(["summary", "lenet5"]) == 0
    expected = kerascnn.summary(kerascnn.models.create_model("lenet5"))
    assert capsys.readouterr().out == f"{expected}\n"


@pytest.mark.parametrize("shape", ["32,40,3", "32, 40, 3", "(32,40,3)"])
def test_input_shape_and_number_of_classes(shape, capsys):
    assert run(["summary", "lenet5", "--input-shape", shape, "--num-classes", "4"]) == 0
    model = kerascnn.models.create_model("lenet5", (32, 40, 3), num_classes=4)
    assert capsys.readouterr().out == f"{kerascnn.summary(model)}\n"


@pytest.fixture
def saved(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((None, None, 4)),
            kerascnn.layers.GroupConv2D(8, 3, groups=2, name="conv"),
            kerascnn.layers.PixelShuffle(2, name="shuffle"),
        ]
    )
    path = tmp_path / "run" / "model.keras"
    path.parent.mkdir()
    model.save(path)
    return path


def test_a_file_and_a_folder(saved, capsys):
    assert run(["summary", str(saved)]) == 0
    shown = capsys.readouterr().out
    assert "GroupConv2D" in shown
    assert "multiply-adds:  at least 0" in shown
    assert run(["summary", str(saved.parent)]) == 0
    assert capsys.readouterr().out == shown
    assert run(["summary", str(saved), "--input-shape", "10,12,4"]) == 0
    assert f"multiply-adds:  {8 * 10 * 18 * 8:,} for one image" in capsys.readouterr().out


def test_a_model_by_name_comes_before_a_folder_of_that_name(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lenet5").mkdir()
    assert run(["summary", "lenet5"]) == 0
    assert "stage1_conv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Missing argument 'model'"),
        (["lenet_5"], "Did you mean 'lenet5'?"),
        (["absent.keras"], "There is no file absent.keras."),
        (["runs/absent"], "There is no file runs/absent."),
        (["."], "There is no file model.keras."),
        (["lenet5", "--input-shape", "32x32"], "such as 32,32,3; got '32x32'"),
        (["lenet5", "--input-shape", "32,-1,3"], "got '32,-1,3'"),
        (["lenet5", "--input-shape", "0,32,3"], "got '0,32,3'"),
        (["lenet5", "--input-shape", ""], "got ''"),
        (["lenet5", "--input-shape", "32,32"], "must be a tuple of height, width and channels"),
        (["lenet5", "--input-shape", "8,8,1"], "at least 12 pixels"),
        (["lenet5", "--num-classes", "0"], "got num_classes=0"),
        (["lenet5", "--num-classes", "many"], "--num-classes"),
    ],
)
def test_wrong_use(arguments, sentence, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run(["summary", *arguments]) == 2
    assert sentence in told(capsys)


def test_wrong_use_of_a_file(saved, capsys):
    assert run(["summary", str(saved), "--num-classes", "3"]) == 2
    assert "`--num-classes` is only valid with a model name" in told(capsys)
    assert run(["summary", str(saved), "--input-shape", "10,12,3"]) == 2
    assert "got input_shape=(10, 12, 3)" in told(capsys)


def test_a_broken_file(saved, capsys):
    saved.write_bytes(saved.read_bytes()[:100])
    assert run(["summary", str(saved)]) == 1
    assert "cannot be loaded" in told(capsys)
