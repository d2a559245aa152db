"""`train --force` and its relatives lose nothing that a run did not write."""

import dataclasses
import json
import os
import shutil

import numpy as np
import pytest
from PIL import Image

import kerascnn.training.learning
from kerascnn.training import Recipe, RunFolder
from tests.apps.commands import output
from tests.apps.conftest import FOLDERS, TASKS
from tests.nightly import every_night

every_task = pytest.mark.parametrize("task", TASKS)
# What trains: all tasks run the same code, `kerascnn.runs`, so one shows it by day.
one_task_by_day = pytest.mark.parametrize("task", every_night(TASKS, {"classify"}))


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.fixture
def copied(small_runs, tmp_path):
    """A function that copies a run, so that it can be changed."""
    return lambda task: shutil.copytree(small_runs[task], tmp_path / "runs" / task)


@pytest.fixture
def refused(train_words, capsys):
    """A function that gives a wrong `train --force` and checks that it changes nothing."""

    def check(task, watched, *arguments, status=2):
        before = contents(watched)
        error = output(capsys, *train_words[task], *arguments, "--force", status=status).err
        assert error.count("\n") == 1, error
        assert contents(watched) == before
        return error

    return check


@every_task
@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_foreign_recipe_is_no_run(task, force, train_words, tmp_path, capsys):
    for name in ("plots/a.png", "examples/b.png", "events/c", "checkpoints/d", "history.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("years of work")
    (tmp_path / "recipe.json").write_text('{"versions": {"first": "flour"}, "data": {}}')
    before = contents(tmp_path)
    error = output(capsys, *train_words[task], "--out", tmp_path, *force, status=2).err
    assert "has files that do not belong to a run, and they are not changed" in error
    assert contents(tmp_path) == before


@one_task_by_day
def test_files_of_the_user_stay(task, train_words, copied, capsys):
    out = copied(task)
    mine = {}
    for name in ("plots/notes.md", "examples/mine.png", "export/1/model", "thesis.txt"):
        mine[out / name] = f"the user's {name}".encode()
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_bytes(mine[out / name])
    first = json.loads((out / "recipe.json").read_text())
    text = output(capsys, *train_words[task], "--seed", 1, "--out", out, "--force").out
    assert f"earlier run: moved to {out}.old-1 until the new run has its first check" in text
    found = contents(out)
    assert {path: found[path] for path in mine} == mine
    assert json.loads((out / "recipe.json").read_text()) == {**first, "seed": 1, "command": ANY}
    assert RunFolder(out).state == "finished"
    assert [path.name for path in out.parent.iterdir()] == [task]  # the earlier run is deleted


class Anything:
    def __eq__(self, other):
        return True


ANY = Anything()


@one_task_by_day
def test_the_current_folder_is_refused(task, refused, copied, monkeypatch):
    out = copied(task)
    (out / "sub").mkdir()
    (out.parent / "link").symlink_to(out)
    for inside in (out, out / "sub"):
        monkeypatch.chdir(inside)
        for name in (".", out, out.parent / "link", os.path.relpath(out)):
            error = refused(task, out.parent, "--out", name)
            assert "`--out` must not be the current folder, or a folder around it; got" in error


@one_task_by_day
def test_data_of_the_run_itself_are_refused(task, refused, copied, scenery):
    out = copied(task)
    for data in (out / "examples", out, out.parent):
        error = refused(task, out, "--data", data, "--out", out)
        assert "`--out` must not contain the data, or be inside the data" in error
    # A run among the data, a run in a class that is linked into the data, and the data by a link
    root = out.parent / "data"
    shutil.copytree(scenery / FOLDERS[task], root)
    shutil.copytree(out, root / "run")
    refused(task, root, "--data", root, "--out", root / "run")
    refused(task, root, "--data", root, "--out", root / "new")
    (out.parent / "link").symlink_to(root)
    refused(task, root, "--data", out.parent / "link", "--out", root / "run")
    (root / "linked").symlink_to(out)
    refused(task, out, "--data", root, "--out", out)


@pytest.mark.parametrize("task", every_night(["classify", "segment"], {"classify"}))
def test_prepared_sets_are_refused(task, refused, copied):
    out = copied(task)
    (out / "mnist").mkdir()
    error = refused(task, out, "--data", "mnist", "--data-dir", out, "--out", out)
    assert "must not contain `--data-dir`" in error
    refused(task, out, "--data", "mnist", "--data-dir", out / "mnist", "--out", out)
    error = refused(task, out, "--data", "a/b", "--data-dir", out.parent, "--out", out.parent / "a")
    assert "or be inside the data" in error


def test_the_run_of_the_weights_is_refused(refused, copied):
    out = copied("classify")
    (out.parent / "link").symlink_to(out)
    for name in (out, out.parent / "link"):
        error = refused("classify", out.parent, "--weights", out, "--out", name)
        assert "`--out` must not be the run of `--weights`" in error


@one_task_by_day
def test_a_training_that_fails_leaves_the_earlier_run(task, refused, copied, train_words, capsys):
    out = copied(task)
    before = contents(out)
    module = kerascnn.training.learning
    real = module.fit

    def fit(*args, **kwargs):
        args[3].begin(kwargs["facts"])
        raise RuntimeError("the light went out")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "fit", fit)
        for number in (1, 2):
            error = output(capsys, *train_words[task], "--out", out, "--force", status=1).err
            assert error.startswith("kerascnn: the light went out. The earlier run is in ")
            assert f"{out}.old-{number}" in error
    assert module.fit is real
    old = out.with_name(f"{task}.old-1")
    assert RunFolder(old).state == "finished"
    moved = {path.relative_to(old): text for path, text in contents(old).items()}
    for path, text in before.items():
        if path.name != "manifest.jsonl":
            assert moved[path.relative_to(out)] == text
    if task == "classify":  # all earlier runs are deleted when one succeeds
        output(capsys, *train_words[task], "--out", out, "--force")
        assert [path.name for path in out.parent.iterdir()] == [task]


def test_a_training_that_diverges_leaves_the_earlier_run(copied, capsys):
    out = copied("classify")
    words = ("--epochs", 1, "--learning-rate", "1e30", "--out", out, "--force")
    error = output(capsys, "classify", "train", *words, status=1).err
    assert "The training diverged" in error
    assert f"The earlier run is in {out}.old-1." in error
    output(capsys, "classify", "evaluate", f"{out}.old-1")


def as_before_the_format(recipe):
    """The content of `recipe.json` as it was before runs had a format and recorded their task."""
    part = recipe.pop("task")
    newer = ("patience", "stop_at", "class_weights", "balance")
    recipe["training"] = {k: value for k, value in recipe["training"].items() if k not in newer}
    del recipe["kerascnn"], recipe["format"]
    fields = {field.name for field in dataclasses.fields(Recipe)}
    others = {name: recipe["training"].pop(name) for name in {*recipe["training"]} - fields}
    known = {"data_dir", "version", "class_names", "image_shape"}
    if part == "classification":
        del recipe["model"]["options"]
    if part == "segmentation":
        known.add("ignored")
        del recipe["model"]["weights"]
    if part == "upscaling":
        known = {"smallest"}
        recipe["data"]["num_pictures"] = recipe["data"].pop("num_examples")
        recipe["model"] = {key: recipe["model"][key] for key in ("name", "parameters")}
        others["factor"] = 2
    else:
        known.add("num_examples")
    if others:
        recipe[part] = others
    known |= {"name", "num_pictures"}
    recipe["data"] = {key: value for key, value in recipe["data"].items() if key in known}
    return recipe


@pytest.mark.nightly
@pytest.mark.parametrize("task", every_night(["classify", "segment", "upscale"], {"classify"}))
def test_a_run_before_the_format_can_be_used_and_resumed(task, copied, train_words, capsys):
    out = copied(task)
    recipe = json.loads((out / "recipe.json").read_text())
    (out / "recipe.json").write_text(json.dumps(as_before_the_format(recipe)))
    (out / "manifest.jsonl").unlink()
    shutil.rmtree(out / "checkpoints")  # which had another form
    metrics = json.loads((out / "metrics.json").read_text())
    assert output(capsys, task, "evaluate", out).out
    finished = shutil.copytree(out, out.with_name("finished"))
    (out / "metrics.json").unlink()
    output(capsys, *train_words[task], "--out", out)
    found = json.loads((out / "metrics.json").read_text())
    assert found == {**metrics, "training_seconds": found["training_seconds"]}
    if task != "classify":
        return
    text = output(capsys, *train_words[task], "--out", finished, "--force").out
    assert f"earlier run: {finished}.old-1 is kept, because it may contain files" in text
    assert RunFolder(f"{finished}.old-1").load_model()


def test_checkpoints_that_a_user_keeps(copied, train_words, capsys):
    out = copied("classify")
    (out / "metrics.json").unlink()
    own = out / "checkpoints" / "epoch_0001_batch_000000.state"
    for name in ("epoch_best.state", "epoch_0001_copy.state"):
        shutil.copy(own, out / "checkpoints" / name)
    words = [*train_words["classify"], "--out", out]
    output(capsys, *words)
    words[words.index("--epochs") + 1] = "2"
    output(capsys, *words, "--force")
    assert {path.name for path in (out / "checkpoints").iterdir()} == {
        "epoch_best.state",
        "epoch_0001_copy.state",
        "epoch_0001_batch_000000.state",
        "epoch_0002_batch_000000.state",
    }


@pytest.mark.parametrize("task", every_night(["segment", "upscale"], {"upscale"}))
def test_predict_overwrites_no_data_even_if_forced(task, copied, scenery, tmp_path, capsys):
    out, data = copied(task), tmp_path / "data"
    shutil.copytree(scenery / task, data)
    recipe = json.loads((out / "recipe.json").read_text())
    recipe["data"]["name"] = str(data)  # as if it had been trained on them
    (out / "recipe.json").write_text(json.dumps(recipe))
    given = data / "images" if task == "segment" else data
    if task == "upscale":
        for i in range(10):
            shutil.copy(data / f"{i}.png", data / f"{i}_x2.png")
    before = contents(tmp_path)
    predict = (task, "predict", out, given / "0.png", "--out", data, "--force")
    error = output(capsys, *predict, status=2).err
    assert "is in the training data, which --force does not overwrite" in error
    # The images themselves, and the files of a run
    other = tmp_path / "other"
    other.mkdir()
    target = {"segment": "masks/0.png", "upscale": "0_x2.png"}[task]
    (other / target).parent.mkdir(exist_ok=True)
    shutil.copy(scenery / task / ("images" if task == "segment" else "") / "0.png", other / target)
    predict = (task, "predict", out, given / "0.png", other / target, "--out", other, "--force")
    error = output(capsys, *predict, status=2).err
    assert "is one of the given images" in error
    run = RunFolder(tmp_path / "run")
    run.begin({"training": {}})
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(tmp_path / "mine.png")
    with run.writing(run.path / target) as path:
        shutil.copy(tmp_path / "mine.png", path)
    predict = (task, "predict", out, given / "0.png", "--out", run.path, "--force")
    assert "is a file of a run" in output(capsys, *predict, status=2).err
    after = contents(tmp_path)
    assert {path: after[path] for path in before} == before
    # Other files there are overwritten, as asked for.
    (tmp_path / "free" / target).parent.mkdir(parents=True)
    (tmp_path / "free" / target).write_text("an earlier answer")
    output(capsys, task, "predict", out, given / "0.png", "--out", tmp_path / "free", "--force")
    with Image.open(tmp_path / "free" / target) as answer:
        assert answer.size


def test_show_data_overwrites_nothing(tmp_path, capsys):
    (tmp_path / "thesis.png").write_text("years of work")
    show = ("classify", "show-data", "--out", tmp_path / "thesis.png")
    assert "thesis.png exists; choose a new file" in output(capsys, *show, status=2).err
    assert (tmp_path / "thesis.png").read_text() == "years of work"
    output(capsys, *show, "--force")
    with Image.open(tmp_path / "thesis.png") as drawn:
        assert drawn.size
