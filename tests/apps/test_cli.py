"""The command as a user meets it: what it prints, where, and its exit status."""

import os
import shlex
import subprocess
import sys

import pytest

import kerascnn
from kerascnn_apps.cli import run
from tests import fresh_process
from tests.apps.commands import output


def told(capsys):
    """What was printed to standard error: one sentence, and no traceback."""
    error = capsys.readouterr().err
    assert error.startswith("kerascnn: ")
    assert error.count("\n") == 1
    assert error.rstrip().endswith((".", "?"))
    assert "Traceback" not in error
    return error


def test_version(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"kerascnn {kerascnn.__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["classify"]])
def test_no_command_shows_the_help(arguments, capsys):
    assert run(arguments) == 2
    shown = capsys.readouterr()
    assert "Usage: kerascnn" in shown.out + shown.err
    assert "kerascnn: " not in shown.err


def test_models(capsys):
    assert run(["models"]) == 0
    assert capsys.readouterr().out.split() == kerascnn.models.list_models()
    assert run(["models", "lenet*"]) == 0
    assert "lenet5" in capsys.readouterr().out
    assert run(["models", "nothing*"]) == 2
    assert "'nothing*'" in told(capsys)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "lenet_5"], "got name='lenet_5'"),
        (["--data", "no_such_set"], "'no_such_set' is not an embedded dataset"),
        (["--data", "./no_such_folder"], "There is no folder ./no_such_folder"),
        (["--epochs", "-3"], "`epochs` must be at least 1; got epochs=-3."),
        (["--epochs", "many"], "--epochs"),
        (["--batch-size", "0"], "got batch_size=0"),
        (["--learning-rate", "-1"], "got learning_rate=-1"),
        (["--seed", "-1"], "got seed=-1"),
        (["--recipe", "pie"], "got recipe='pie'"),
        (["--image-size", "-5"], "got image_size=-5"),
        (["--image-size", "5"], "at least 12 pixels"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_use_of_train(arguments, sentence, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["classify", "train", "--out", str(out), *arguments]) == 2
    assert sentence in told(capsys)
    assert not out.exists()


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_existing_folder_is_left_alone(tmp_path, capsys, force):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert run(["classify", "train", "--out", str(tmp_path), *force]) == 2
    assert "has files that do not belong to a run" in told(capsys)
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_out_below_a_file(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert run(["classify", "train", "--out", str(tmp_path / "file" / "run")]) == 2
    assert "file is a file" in told(capsys)


def test_read_only_folder(tmp_path, capsys, monkeypatch):
    # Root may write anywhere, so the system's answer is given here.
    monkeypatch.setattr(os, "access", lambda *args, **kwargs: False)
    assert run(["classify", "train", "--out", str(tmp_path / "run")]) == 1
    assert "is read-only" in told(capsys)


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_folder_without_a_run(command, tmp_path, capsys):
    assert run(["classify", command, str(tmp_path / "absent")]) == 2
    assert "is not a run" in told(capsys)


def test_debug_shows_the_traceback(capsys):
    assert run(["classify", "evaluate", "absent", "--debug"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_fault_of_a_library_is_not_told_as_the_users(capsys, monkeypatch):
    def fault(*args, **kwargs):
        raise ValueError("operands could not be broadcast together")

    monkeypatch.setattr(kerascnn.models, "list_models", fault)
    assert run(["models"]) == 1
    assert "unexpected ValueError (use --debug for the traceback): operands could" in told(capsys)


def test_unexpected_errors_say_how_to_see_more(capsys, monkeypatch):
    monkeypatch.setattr(kerascnn.models.registry, "_MODELS", None)
    assert run(["models"]) == 1
    assert "unexpected TypeError (use --debug for the traceback)" in told(capsys)


def test_a_missing_backend_of_the_environment_is_one_sentence(capsys, monkeypatch):
    def without_jax(pattern, task):
        raise ModuleNotFoundError("No module named 'jax'", name="jax")

    monkeypatch.setattr(kerascnn.models, "list_models", without_jax)
    assert run(["models"]) == 1
    assert "The backend jax is not installed: pip install 'kerascnn[jax]'." in told(capsys)


def test_ctrl_c(capsys, monkeypatch):
    def interrupted(pattern, task):
        raise KeyboardInterrupt

    monkeypatch.setattr(kerascnn.models, "list_models", interrupted)
    assert run(["models"]) == 130
    assert "interrupted" in told(capsys)


COMMAND = "import sys; from kerascnn_apps.cli import main; sys.argv[0] = 'kerascnn'; main()"


def test_process_is_quiet_where_output_is_no_terminal(tmp_path):
    words = ["classify", "train", "--epochs", "1", "--out", str(tmp_path / "run")]
    result = subprocess.run(
        [sys.executable, "-c", COMMAND, *words], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0
    assert result.stderr == ""
    assert "test accuracy" in result.stdout
    assert len(result.stdout.splitlines()) < 10


def test_a_closed_standard_output():
    """`kerascnn --version >&-`: nobody reads what is said."""
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(COMMAND)} --version >&-"
    found = subprocess.run(command, shell=True, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


@pytest.mark.parametrize("form", ["--out=~/run", "--out ~/run"])
def test_a_tilde_is_the_home_folder(form, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "home" / "run").mkdir(parents=True)
    (tmp_path / "home" / "run" / "notes.txt").touch()
    error = output(capsys, "classify", "train", *form.split(), status=2).err
    assert f"{tmp_path}/home/run has files that do not belong to a run" in error
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize("width", [20, 30, 56, 64, 200])
def test_tables_keep_names_and_numbers_in_narrow_terminals(width, monkeypatch, capsys):
    from rich import console

    from kerascnn_apps.table import print_table

    monkeypatch.setattr(console.Console, "is_terminal", True)
    monkeypatch.setenv("COLUMNS", str(width))
    names = ("a_class_of_23_characters", "flower.jpg")
    rows = [(name, "395,712", "0.5123", "15.25 dB") for name in names]
    print_table(("class", "number of images", "IoU", "PSNR"), rows)
    text = capsys.readouterr().out
    assert "flower.jpg" in text
    assert "number of images" in text
    for number in rows[0][1:]:
        assert text.count(number) == 2


def test_process_tells_errors_on_standard_error():
    result = fresh_process.run(COMMAND, "classify", "predict", "absent", "absent.png")
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.count("\n") == 1


def test_help_is_quick_because_it_loads_no_framework():
    program = """
import sys
from kerascnn_apps.cli import run
run(["classify", "train", "--help"])
assert "tensorflow" not in sys.modules and "keras" not in sys.modules
"""
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "--epochs" in result.stdout


def test_models_of_a_task(capsys):
    assert run(["models", "u*", "--task", "segmentation"]) == 0
    found = capsys.readouterr().out.split()
    assert found == ["unet", "unet_2015", "unet_resnet18", "unet_resnet34", "unet_resnet50"]
    assert run(["models", "--task", "cooking"]) == 2
    assert "`task` must be one of None, 'classification', " in told(capsys)
    assert run(["models", "resnet*", "--task", "upscaling"]) == 2
    assert "(edsr_baseline_x2, " in told(capsys)
