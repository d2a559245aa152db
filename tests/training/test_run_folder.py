import os

import pytest

from kerascnn.training import RunFolder
from kerascnn.training.run_folder import written_whole

RECIPE = {"model": {"name": "lenet5"}, "training": {"epochs": 2}, "seed": 0}


def test_states(tmp_path):
    run = RunFolder(tmp_path / "run")
    assert run.state == "new"
    run.begin(RECIPE, "kerascnn classify train")
    assert run.state == "unfinished"
    assert run.recipe()["command"] == "kerascnn classify train"
    assert run.recipe()["training"] == {"epochs": 2}
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
    assert not run.path.exists()


def test_another_recipe_is_refused(tmp_path):
    RunFolder(tmp_path).begin(RECIPE)
    with pytest.raises(FileExistsError, match="begun with another seed; "):
        RunFolder(tmp_path).begin({**RECIPE, "seed": 1})


def test_foreign_folders_are_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    run = RunFolder(tmp_path)
    assert run.state == "foreign"
    for attempt in (run.check_usable, lambda: run.begin(RECIPE), run.clear):
        with pytest.raises(FileExistsError, match="holds files that are no run"):
            attempt()
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_not_the_runs_own_is_never_cleared(tmp_path):
    run = RunFolder(tmp_path)
    run.begin(RECIPE)
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(FileExistsError, match=r"holds thesis\.txt beside its run"):
        run.clear()
    assert run.recipe_path.exists()


def test_a_recipe_of_something_else_is_no_run(tmp_path):
    (tmp_path / "recipe.json").write_text('{"flour": "500 g"}')
    assert RunFolder(tmp_path).state == "foreign"
    (tmp_path / "recipe.json").write_text("flour, 500 g")
    with pytest.raises(ValueError, match=r"recipe\.json must be JSON"):
        RunFolder(tmp_path).begin(RECIPE)


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
    (tmp_path / "checkpoints" / ".writing-abc").mkdir(parents=True)
    run.begin(RECIPE)
    assert list((tmp_path / "checkpoints").iterdir()) == []


def test_no_run(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no run"):
        RunFolder(tmp_path / "absent").load_model()
    RunFolder(tmp_path).begin(RECIPE)
    with pytest.raises(FileNotFoundError, match="without a model yet"):
        RunFolder(tmp_path).load_model()


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "sub" / "metrics.json"
    with written_whole(path) as temporary:
        temporary.write_text("first")
    with pytest.raises(RuntimeError), written_whole(path) as temporary:  # noqa: PT012
        temporary.write_text("half of the sec")
        raise RuntimeError
    assert path.read_text() == "first"
    assert [entry.name for entry in path.parent.iterdir()] == ["metrics.json"]
