import json
import os

import pytest

from kerascnn.training import RunFolder

RECIPE = {"model": {"name": "lenet5"}, "training": {"epochs": 2}, "seed": 0}


def test_states(tmp_path):
    run = RunFolder(tmp_path / "run")
    assert run.state == "new"
    run.begin(RECIPE, "kerascnn classify train")
    assert run.state == "unfinished"
    assert run.recipe()["command"] == "kerascnn classify train"
    assert run.recipe()["training"] == {"epochs": 2}
    assert (run.recipe()["kerascnn"], run.recipe()["format"]) == ("run", 1)
    assert run.recipe()["versions"].keys() >= {
        "kerascnn",
        "keras",
        "tensorflow",
        "python",
        "backend",
    }
    run.begin(RECIPE, "typed otherwise")  # the same run goes on
    run.write_json(run.metrics_path, {})
    assert run.state == "finished"
    run.clear()
    assert run.state == "new"
    run.begin({**RECIPE, "seed": 1})
    assert run.state == "unfinished"


@pytest.mark.parametrize("data", ["a", {"name": "a"}, None, 3])
def test_facts_of_any_kind_are_compared(tmp_path, data):
    """`kerascnn.training.fit` takes any facts, not only those of a task."""
    run = RunFolder(tmp_path)
    facts = RECIPE if data is None else {**RECIPE, "data": data}
    run.begin(facts)
    run.begin(facts)
    for other in ("b", {"name": "b"}, {"name": "b", "fingerprint": "x"}):
        with pytest.raises(FileExistsError, match="started with another "):
            run.begin({**RECIPE, "data": other})


def test_another_recipe_is_refused(tmp_path):
    RunFolder(tmp_path).begin(RECIPE)
    with pytest.raises(FileExistsError, match="started with another seed; "):
        RunFolder(tmp_path).begin({**RECIPE, "seed": 1})


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    run = RunFolder(tmp_path)
    assert run.state == "foreign"
    for attempt in (run.check_usable, lambda: run.begin(RECIPE), run.clear):
        with pytest.raises(FileExistsError, match="has files that do not belong to a run"):
            attempt()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_recipe_of_something_else_is_no_run(tmp_path):
    for recipe in (
        {"flour": "500 g"},
        {"versions": {"2": "less salt"}},
        {"format": 1, "versions": {}},
        {"kerascnn": "course", "format": 1},
        {"command": "bake", "training": {"epochs": 1}, "versions": {"kerascnn": "0.1.0"}},
        ["flour"],
    ):
        (tmp_path / "recipe.json").write_text(json.dumps(recipe))
        assert RunFolder(tmp_path).state == "foreign"
        with pytest.raises(ValueError, match="is not a run: .* has other content"):
            RunFolder(tmp_path).recipe()
    (tmp_path / "recipe.json").write_text("flour, 500 g")
    with pytest.raises(ValueError, match=r"recipe\.json must be JSON"):
        RunFolder(tmp_path).begin(RECIPE)


def test_a_run_of_a_newer_version_is_named(tmp_path):
    (tmp_path / "recipe.json").write_text('{"kerascnn": "run", "format": 2}')
    with pytest.raises(ValueError, match="must have the format 1; got format 2, which another"):
        RunFolder(tmp_path).check_usable()


def test_a_broken_model_is_named(tmp_path):
    run = RunFolder(tmp_path)
    run.begin(RECIPE)
    run.model_path.write_text("spoiled")
    with pytest.raises(RuntimeError, match=r"model\.keras cannot be loaded"):
        run.load_model()


def test_a_folder_below_a_file(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(NotADirectoryError, match="file is a file"):
        RunFolder(tmp_path / "file" / "run").check_usable()


def test_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o555)
    root = os.geteuid() == 0  # to whom nothing is read-only
    if root:
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest-" in str(folder):  # pytest's own, closed to all others
                folder.chmod(0o555)
        os.seteuid(65534)
    try:
        with pytest.raises(PermissionError, match="cannot be written: .* is read-only"):
            RunFolder(tmp_path / "run").check_usable()
    finally:
        if root:
            os.seteuid(0)
        for folder in (tmp_path, *tmp_path.parents):
            if "pytest-" in str(folder):
                folder.chmod(0o755)


def test_what_a_killed_process_left_is_removed(tmp_path):
    run = RunFolder(tmp_path)
    run.begin(RECIPE)
    writing = run.writing(run.checkpoints / "epoch_0001.weights.h5")
    writing.__enter__().touch()
    # Those of others: an export that is being written, and a folder of the user.
    for other in ("export/.writing-abc", "plots/.writing-style"):
        (tmp_path / other).mkdir(parents=True)
    run.begin(RECIPE)
    assert list((tmp_path / "checkpoints").iterdir()) == []
    assert (tmp_path / "export" / ".writing-abc").is_dir()
    assert (tmp_path / "plots" / ".writing-style").is_dir()


def test_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="is not a run"):
        RunFolder(tmp_path / "absent").load_model()
    RunFolder(tmp_path).begin(RECIPE)
    with pytest.raises(FileNotFoundError, match="has no model yet"):
        RunFolder(tmp_path).load_model()


def test_a_file_of_the_user_is_not_overwritten(tmp_path):
    run = RunFolder(tmp_path)
    run.begin(RECIPE)
    (tmp_path / "plots").mkdir()
    (tmp_path / "plots" / "curves.png").write_text("drawn by hand")

    class Figure:
        def savefig(self, path):
            path.write_text("drawn by the run")

    for _ in range(2):
        assert run.save_figure("curves", Figure()) == tmp_path / "plots" / "curves-2.png"
    assert (tmp_path / "plots" / "curves.png").read_text() == "drawn by hand"
    run.metrics_path.write_text("{}")
    assert run.state == "unfinished"
    for attempt in (run.check_usable, run.clear, lambda: run.write_json(run.metrics_path, {})):
        with pytest.raises(FileExistsError, match=r"metrics\.json is not a file of the run"):
            attempt()
    assert run.metrics_path.read_text() == "{}"


def test_a_name_that_is_not_utf8_is_refused(tmp_path):
    with pytest.raises(ValueError, match="must be UTF-8"):
        RunFolder(tmp_path / "run\udcff").check_usable()


def test_files_of_a_run_without_its_recipe_are_left_alone(tmp_path):
    """A new run would resume from the checkpoints of another."""
    run = RunFolder(tmp_path)
    run.begin(RECIPE)
    with run.writing(run.checkpoints / "epoch_0001.weights.h5") as temporary:
        temporary.touch()
    run.recipe_path.unlink()
    assert run.state == "foreign"
    with pytest.raises(FileExistsError, match="files that do not belong to a run"):
        run.begin(RECIPE)


def test_facts_do_not_replace_the_mark(tmp_path):
    with pytest.raises(ValueError, match="must not have the key 'format'"):
        RunFolder(tmp_path / "run").begin({**RECIPE, "format": "png"})
    assert RunFolder(tmp_path / "run").state == "new"
