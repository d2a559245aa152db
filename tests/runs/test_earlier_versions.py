"""Runs of the version before, as it left them: `before/TASK` (of each example, one file)."""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kerascnn import runs, tasks
from kerascnn.runs.record import open_run
from tests.nightly import every_night

BEFORE = Path(__file__).parent / "before"
TASKS = sorted(path.name for path in BEFORE.iterdir())

every_task = pytest.mark.parametrize("task", TASKS)


def test_a_run_of_every_task_is_there():
    assert TASKS == ["classification", "segmentation", "upscaling"]


@every_task
def test_the_record_is_read(task):
    content = json.loads((BEFORE / task / "recipe.json").read_text())
    _, record = open_run(BEFORE / task, task)
    assert record.model.name == content["model"]["name"]
    assert record.model.options == content["model"].get("options", {})
    assert record.training.learning_rate == content["training"]["learning_rate"]
    if task == "segmentation":
        assert record.training.loss == "cross_entropy+dice"
        assert record.data.class_names[:2] == ("background", "0")
    if task == "upscaling":
        assert record.training.patches == 16_000
        assert record.data.num_examples == {"train": 1, "validation": 1, "test": 1}
        assert record.data.smallest == 34


@every_task
def test_it_is_evaluated_to_the_same_numbers(task):
    metrics = json.loads((BEFORE / task / "metrics.json").read_text())["test"]
    evaluation, _ = runs.evaluate(BEFORE / task)

    def compare(found, expected):
        if isinstance(expected, dict):
            assert found.keys() >= expected.keys()  # there are more numbers now
            for key, value in expected.items():
                compare(found[key], value)
        elif isinstance(expected, list):
            for one, other in zip(found, expected, strict=True):
                compare(one, other)
        elif isinstance(expected, float):  # another processor rounds otherwise
            assert found == pytest.approx(expected, rel=1e-3, abs=2e-3)
        else:
            assert found == expected

    if task == "segmentation":  # where two classes are equally probable, a pixel may change
        assert evaluation.numbers["mean_iou"] == pytest.approx(metrics["mean_iou"], abs=2e-3)
        return
    compare(evaluation.numbers, metrics)


@pytest.mark.parametrize("task", every_night(TASKS, daily=["classification", "upscaling"]))
def test_an_unfinished_one_is_the_run_of_the_same_request(task, tmp_path, monkeypatch):
    copy = tmp_path / "run"
    shutil.copytree(BEFORE / task, copy)
    (copy / "metrics.json").unlink()
    record = open_run(copy)[1]
    begun = []

    def begin(model, pipelines, recipe, run, *, facts, **options):
        run.begin({**facts, "training": dataclasses.asdict(recipe)})
        begun.append(run.path)
        raise KeyboardInterrupt

    monkeypatch.setattr("kerascnn.training.learning.fit", begin)
    request = tasks.Request(
        data=record.data.name,
        model=record.model.name,
        options=record.model.options,
        recipe="quick" if task == "upscaling" else None,
        changes={"epochs": record.training.epochs},
    )
    with pytest.raises(KeyboardInterrupt):
        runs.train(tasks.get_task(task), request, copy)
    assert begun == [copy]
    with pytest.raises(FileExistsError, match="started with another training"):
        runs.train(tasks.get_task(task), dataclasses.replace(request, changes={}), copy)


@pytest.mark.parametrize("task", every_night(TASKS, {"classification"}))
def test_it_predicts_and_exports(task, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(BEFORE / task, copy)
    ((file, prediction),) = runs.predict(copy, [copy / "examples"], tmp_path / "out")
    assert Path(file).parent == copy / "examples"
    assert np.isfinite(list(prediction.json().get("probabilities", {"": 0}).values())).all()
    assert (runs.export(copy).path / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"task": "singing"}, "must be a run of `kerascnn train`; got another run (singing)."),
        ({"seed": "many"}, "seed: Input should be a valid integer"),
        ({"model": {}}, "model.name: Field required"),
        ({"training": {"epochs": 0}}, "training: `epochs` must be at least 1"),
    ],
)
def test_a_broken_record_gets_a_sentence(change, sentence, tmp_path):
    content = json.loads((BEFORE / "classification" / "recipe.json").read_text())
    (tmp_path / "recipe.json").write_text(json.dumps({**content, **change}))
    with pytest.raises(ValueError) as caught:
        open_run(tmp_path)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)
