"""What `train` says of a folder with a run: finished, interrupted, or of another command."""

import json
import shutil
import signal

import pytest

from kerascnn.training import resume
from kerascnn.training.errors import Interrupted
from kerascnn_apps.cli import run
from tests.nightly import every_night

from .commands import output
from .conftest import TASKS


@pytest.fixture
def copied(small_runs, tmp_path):
    """A copy of the small run of a task."""

    def copy(task):
        return shutil.copytree(small_runs[task], tmp_path / task)

    return copy


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(
    ("words", "different"),
    [
        (["--model", "lenet5_1998"], "model"),
        (["--seed", "9"], "seed"),
        (["--learning-rate", "0.5"], "training"),
        (["--batch-size", "3", "--seed", "9"], "training and seed"),
        (["--augment", "cutout=0.5"], "training"),
        (["--recipe", "paper"], "training"),
        (["--data", "digits"], "data"),
        (["--data", "mnist"], "data"),
    ],
)
def test_another_command_is_not_finished_by_a_finished_run(
    words, different, copied, train_words, capsys
):
    folder = copied("classify")
    before = contents(folder)
    error = output(capsys, *train_words["classify"], *words, "--out", folder, status=2).err
    assert f"has a finished run that was started with another {different};" in error
    assert contents(folder) == before


def test_options_that_are_left_out_count(copied, train_words, capsys):
    folder, words = copied("segment"), list(train_words["segment"])
    del words[words.index("width=8") - 1 : words.index("width=8") + 1]
    error = output(capsys, *words, "--out", folder, status=2).err
    assert "has a finished run that was started with another model;" in error


@pytest.mark.parametrize("task", ["segment", "upscale", "reconstruct"])
def test_a_run_of_another_task(task, copied, train_words, capsys):
    folder = copied("classify")
    error = output(capsys, *train_words[task], "--out", folder, status=2).err
    assert "has a finished run that was started with another task and " in error


@pytest.mark.parametrize("task", every_night(TASKS, {"classify", "upscale"}))
def test_the_same_command_finds_its_run(task, copied, train_words, capsys):
    folder = copied(task)
    text = output(capsys, *train_words[task], "--out", folder).out
    assert "has a finished run; use --force to train again, or a larger --epochs to" in text


def test_the_demo_is_not_another_run(copied, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    folder = copied("upscale")
    error = output(capsys, "demo", "--out", folder, status=2).err
    assert "has a finished run that was started with another task and " in error
    assert [path.name for path in tmp_path.iterdir()] == ["upscale"]
    assert not (folder / "export").exists()


def test_a_run_that_ended_early_is_not_continued(train_words, tmp_path, capsys):
    folder = tmp_path / "run"
    words = (*train_words["classify"], "--stop-at", 0, "--out", folder, "--epochs")
    output(capsys, *words, 3)
    before = contents(folder)
    text = output(capsys, *words, 3).out
    assert text.endswith("has a finished run; use --force to train again.\n")
    error = output(capsys, *words, 9, status=2).err
    assert "cannot be continued, because it ended early, after epoch 1 of 3" in error
    assert contents(folder) == before


def test_a_run_without_its_checkpoints_is_not_continued(copied, train_words, capsys):
    folder = copied("upscale")
    shutil.rmtree(folder / "checkpoints")
    words = [*train_words["upscale"], "--out", folder]
    text = output(capsys, *words).out
    assert text.endswith("has a finished run; use --force to train again.\n")
    error = output(capsys, *words, "--epochs", 3, status=2).err
    assert "cannot be continued, because it has no checkpoint;" in error


def test_an_interrupted_replacement_says_what_resumes_it(copied, train_words, monkeypatch, capsys):
    """The same command would clear the new run, too."""
    folder = copied("upscale")

    def interrupted(self, *_):
        path = self.checkpoints.last()
        if path is not None:
            raise Interrupted(signal.SIGTERM, path)

    words = [*train_words["upscale"], "--epochs", 3, "--out", folder]
    with monkeypatch.context() as patch:
        patch.setattr(resume.Resume, "on_epoch_begin", interrupted, raising=True)
        error = output(capsys, *words, "--force", status=143).err
    assert "the same command without --force resumes it" in error


def test_another_backend_does_not_resume(copied, train_words, capsys):
    folder = copied("upscale")
    recipe = json.loads((folder / "recipe.json").read_text())
    recipe["versions"]["backend"] = "jax"
    (folder / "recipe.json").write_text(json.dumps(recipe))
    (folder / "metrics.json").unlink()
    error = output(capsys, *train_words["upscale"], "--out", folder, status=2).err
    assert "was started with the backend 'jax'; got 'tensorflow'" in error


def test_two_commands_choose_two_folders(train_words, tmp_path, monkeypatch, capsys):
    """The second starts while the first reads its data."""
    from kerascnn.tasks import get_task

    monkeypatch.chdir(tmp_path)
    words, kind = train_words["upscale"], type(get_task("upscaling"))
    load, started = kind.load, []

    def load_while_another_starts(task, *arguments):
        data = load(task, *arguments)
        if not started:
            started.append(True)
            monkeypatch.setattr("sys.argv", ["kerascnn", *words, "--seed", "1"])
            assert run([*words, "--seed", "1"]) == 0
            monkeypatch.setattr("sys.argv", ["kerascnn", *words])
        return data

    monkeypatch.setattr(kind, "load", load_while_another_starts)
    monkeypatch.setattr("sys.argv", ["kerascnn", *words])
    output(capsys, *words)
    folders = sorted((tmp_path / "runs").iterdir())
    seeds = [json.loads((path / "recipe.json").read_text())["seed"] for path in folders]
    assert [path.name for path in folders] == ["upscale-espcn_x2", "upscale-espcn_x2-2"]
    assert seeds == [1, 0]


def test_a_folder_that_another_command_has_just_locked(train_words, tmp_path, monkeypatch, capsys):
    from kerascnn.storage.run_lock import RunLock

    monkeypatch.chdir(tmp_path)
    words = train_words["upscale"]
    monkeypatch.setattr("sys.argv", ["kerascnn", *words])
    first = RunLock(tmp_path / "runs" / "upscale-espcn_x2")
    with first.held("kerascnn upscale train --seed 1"):
        output(capsys, *words)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["upscale-espcn_x2-2"]
    second = RunLock(tmp_path / "runs" / "upscale-espcn_x2-2")
    (tmp_path / "runs" / "upscale-espcn_x2-2" / "metrics.json").unlink()
    with first.held("kerascnn other"), second.held(" ".join(["kerascnn", *words])):
        error = output(capsys, *words, status=1).err
    assert "upscale-espcn_x2-2 is in use by process" in error


def test_a_gap_in_the_numbers_of_folders(small_runs, train_words, tmp_path, monkeypatch, capsys):
    """The first folder was deleted, and the run of the same command is in the second."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(small_runs["upscale"], tmp_path / "runs" / "upscale-espcn_x2-2")
    monkeypatch.setattr("sys.argv", ["kerascnn", *train_words["upscale"]])
    output(capsys, *train_words["upscale"])
    assert (tmp_path / "runs" / "upscale-espcn_x2" / "metrics.json").is_file()
