"""Nothing is lost that a run did not write."""

import json
import os
import shutil

import pytest

from kerascnn.storage import run_clearing
from kerascnn.storage.run_manifest import Manifest
from kerascnn.storage.run_record import new_record
from kerascnn.training import RunFolder

RECIPE = {
    "model": {"name": "lenet5"},
    "data": {"name": "digits"},
    "training": {"epochs": 2},
    "seed": 0,
}
USERS = ("thesis.txt", "plots/notes.md", "examples/mine.png", "export/1/saved_model.pb")


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def write(run, *names):
    for name in names:
        with run.writing(run.path / name) as temporary:
            temporary.write_text(json.dumps({"the run's": name}))


def begun(path, *names, seed=0):
    run = RunFolder(path)
    run.begin({**RECIPE, "seed": seed})
    write(run, *names)
    return run


@pytest.fixture
def run(tmp_path):
    """A finished run with files of the user in it."""
    run = begun(tmp_path / "run", "checkpoints/epoch_0002.weights.h5", "model.keras")
    write(run, "plots/curves.png", "examples/deep/a.png", "metrics.json")
    run.list_events()
    events = run.events / "train" / f"events.out.tfevents.17.host.{os.getpid()}.0.v2"
    events.parent.mkdir(parents=True)
    events.write_text("the run's events")
    for name in USERS:
        (run.path / name).parent.mkdir(parents=True, exist_ok=True)
        (run.path / name).write_text(f"the user's {name}")
    return run


def test_clearing_moves_what_the_run_wrote_and_nothing_else(run, tmp_path):
    before = files(run.path)
    old = run.clear()
    assert old == tmp_path / "run.old-1"
    assert files(run.path).keys() == {*USERS, "manifest.jsonl"}
    moved = files(old)
    assert {name: before[name] for name in moved if name != "manifest.jsonl"} == {
        name: text for name, text in moved.items() if name != "manifest.jsonl"
    }
    assert moved.keys() == before.keys() - set(USERS)
    assert RunFolder(old).state == "finished"  # the earlier run as it was
    assert run.replaced == [old]
    assert not run.checkpoints.exists()


def test_the_earlier_run_is_deleted_by_the_new_one(run, tmp_path):
    old = run.clear()
    run.begin({**RECIPE, "seed": 1})
    assert run.state == "unfinished"
    run.delete_replaced()
    assert not old.exists()
    assert run.replaced == []
    assert files(run.path).keys() == {*USERS, "manifest.jsonl", "recipe.json"}


def test_what_was_changed_or_added_is_kept(run):
    run.model_path.write_text("fine-tuned by the user")
    old = run.clear()
    (old / "why.txt").write_text("a note")
    run.begin(RECIPE)
    run.delete_replaced()
    assert files(old).keys() == {"manifest.jsonl", "model.keras", "why.txt"}
    assert old.exists()
    assert run.replaced == []


def test_every_earlier_run_is_kept_until_there_is_a_checkpoint(run, tmp_path):
    first = run.clear()
    run.begin({**RECIPE, "seed": 1})
    second = run.clear()
    run.begin({**RECIPE, "seed": 2})
    assert run.replaced == [first, second] == [tmp_path / "run.old-1", tmp_path / "run.old-2"]
    run.delete_replaced()
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


def test_a_name_that_is_taken_is_not_used(run, tmp_path):
    (tmp_path / "run.old-1").write_text("the user's")
    (tmp_path / "run.old-2").mkdir()
    assert run.clear() == tmp_path / "run.old-3"
    assert list((tmp_path / "run.old-2").iterdir()) == []


def test_a_copy_does_not_delete_what_its_original_set_aside(run, tmp_path):
    """Only a folder that holds the very run that was cleared is deleted."""
    old = run.clear()
    run.begin(RECIPE)
    shutil.rmtree(old)
    other = begun(old, "metrics.json")
    run.delete_replaced()
    assert other.state == "finished"


@pytest.mark.parametrize("moves", range(9))
def test_killed_while_clearing(run, tmp_path, monkeypatch, moves):
    before = files(run.path)
    real, left = run_clearing._move, [moves]

    class Killed(BaseException):
        pass

    def move(*paths):
        if not left[0]:
            raise Killed
        left[0] -= 1
        real(*paths)

    with monkeypatch.context() as patch:
        patch.setattr(run_clearing, "_move", move)
        if moves < 7:
            with pytest.raises(Killed):
                run.clear()
        else:
            run.clear()
    found = files(run.path) | files(tmp_path / "run.old-1")
    assert all(found[name] == before[name] for name in before if name != "manifest.jsonl")
    if moves < 7:
        assert RunFolder(run.path).state == "unfinished"
    again = RunFolder(run.path)
    again.begin({**RECIPE, "seed": 1})  # --force was given: the run does not resume
    assert again.recipe()["seed"] == 1
    assert RunFolder(tmp_path / "run.old-1").state == "finished"
    assert files(tmp_path / "run.old-1").keys() == before.keys() - set(USERS)
    assert {name.name for name in tmp_path.iterdir()} == {"run", "run.old-1"}


def test_killed_between_clearing_and_beginning(run):
    run.clear()
    again = RunFolder(run.path)
    assert again.state == "new"
    assert again.clear() is None
    again.begin(RECIPE)
    assert len(again.replaced) == 1


def test_a_torn_line_of_a_killed_process(run):
    with open(run.path / "manifest.jsonl", "ab") as file:
        file.write(b'{"file": "plots/notes.md", "sha')
    write(run, "plots/other.png")
    assert run.owns(run.plots / "other.png")
    assert not run.owns(run.plots / "notes.md")


def test_a_manifest_lists_nothing_outside_its_folder(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    run = begun(tmp_path / "run")
    manifest = Manifest(run.path)
    manifest.append({"file": "../thesis.txt"}, {"file": str(tmp_path / "thesis.txt")})
    manifest.append({"files": "../*"}, {"moving_to": "../.."})
    assert manifest.present() == ["recipe.json"]
    run = RunFolder(run.path)
    run.begin(RECIPE)
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert {path.name for path in tmp_path.iterdir()} == {"run", "run.old-1", "thesis.txt"}


def test_another_programs_manifest_is_left_alone(tmp_path):
    (tmp_path / "manifest.jsonl").write_text('{"file": "thesis.txt"}\n')
    assert RunFolder(tmp_path).state == "foreign"
    (tmp_path / "recipe.json").write_text(json.dumps(unmarked()))
    with pytest.raises(FileExistsError, match=r"manifest\.jsonl is not a file of the run"):
        RunFolder(tmp_path).clear()
    assert (tmp_path / "manifest.jsonl").read_text() == '{"file": "thesis.txt"}\n'


def test_a_folder_of_the_run_on_another_disk(run, tmp_path):
    """A link stays, and only what the run wrote behind it is moved."""
    elsewhere = tmp_path / "elsewhere"
    run.checkpoints.rename(elsewhere)
    run.checkpoints.symlink_to(elsewhere)
    (elsewhere / "notes.txt").write_text("the user's")
    old = run.clear()
    assert [path.name for path in elsewhere.iterdir()] == ["notes.txt"]
    assert (old / "checkpoints" / "epoch_0002.weights.h5").is_file()


def test_a_run_behind_a_link(run, tmp_path):
    link = tmp_path / "sub" / "link"
    link.parent.mkdir()
    link.symlink_to(run.path)
    assert RunFolder(link).clear() == tmp_path / "run.old-1"
    assert link.is_symlink()


def test_a_parent_that_is_read_only(run, monkeypatch):
    real = run_clearing.Path.mkdir

    def mkdir(path, *args, **kwargs):
        if (
            path.name == "run.old-1"
        ):  # root may write anywhere, so the system's answer is given here
            raise PermissionError
        real(path, *args, **kwargs)

    before = files(run.path)
    monkeypatch.setattr(run_clearing.Path, "mkdir", mkdir)
    with pytest.raises(PermissionError, match=r"cannot be cleared: .* is read-only"):
        run.clear()
    assert files(run.path) == before


def unmarked():
    """The recipe of a run that was begun before runs had a format."""
    record = new_record({**RECIPE, "training": {}}, "kerascnn classify train")
    del record["kerascnn"], record["format"]
    record["training"] = {"epochs": 2, "batch_size": 32, "learning_rate": 1e-3}
    return record


@pytest.fixture
def unmarked_run(tmp_path):
    path = tmp_path / "run"
    names = (
        "history.csv",
        "model.keras",
        "metrics.json",
        "checkpoints/epoch_0002.weights.h5",
        "plots/learning_curves.png",
        "examples/00003_7.png",
        "events/train/events.out.tfevents.17.host.5.0.v2",
    )
    for name in (*names, *USERS):
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text("{}")
    (path / "recipe.json").write_text(json.dumps(unmarked()))
    return path, {*names, "recipe.json"}


def test_a_run_before_the_format_is_moved_but_never_deleted(unmarked_run, tmp_path):
    path, names = unmarked_run
    run = RunFolder(path)
    assert run.state == "finished"
    old = run.clear()
    assert files(path).keys() == {*USERS, "manifest.jsonl"}
    run.begin(RECIPE)
    run.delete_replaced()
    assert files(old).keys() == {*names, "manifest.jsonl"}


def test_a_run_before_the_format_resumes(unmarked_run):
    path, _ = unmarked_run
    (path / "metrics.json").unlink()
    run = RunFolder(path)
    recipe = {**RECIPE, "training": unmarked()["training"]}
    run.begin({**recipe, "task": "classification"})
    write(run, "metrics.json", "history.csv")
    assert run.state == "finished"
    with pytest.raises(FileExistsError, match="started with another seed;"):
        run.begin({**recipe, "seed": 1})
