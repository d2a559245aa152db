import json

import numpy as np
import pytest

from kerascnn.tasks.classification import _line, _table
from kerascnn_apps.table import print_table
from tests.apps.commands import image_size, output


def test_evaluate_repeats_the_metrics(trained, capsys):
    metrics = json.loads((trained / "metrics.json").read_text())["test"]
    found = json.loads(output(capsys, "classify", "evaluate", trained, "--json").out)
    assert found["accuracy"] == metrics["accuracy"]
    assert found["loss"] == pytest.approx(metrics["loss"], rel=1e-4)
    text = output(capsys, "classify", "evaluate", trained, "--split", "validation").out
    assert text.startswith("validation accuracy ")
    assert "(180 images)" in text
    found = json.loads(
        output(capsys, "classify", "evaluate", trained, "--split", "train", "--json").out
    )
    assert found["num_examples"] == 1257
    assert found["accuracy"] > 0.7


def test_evaluate_on_all_splits(trained, capsys):
    evaluate = ("classify", "evaluate", trained, "--json", "--split")
    parts = [
        json.loads(output(capsys, *evaluate, split).out)
        for split in ("train", "validation", "test")
    ]
    found = json.loads(output(capsys, *evaluate, "all").out)
    assert found["num_examples"] == sum(part["num_examples"] for part in parts) == 1797
    right = sum(part["accuracy"] * part["num_examples"] for part in parts)
    assert found["accuracy"] == pytest.approx(right / 1797)
    error = output(capsys, *evaluate, "any", status=2).err
    assert "`split` must be one of 'train', 'validation', 'test', 'all'; got split='any'" in error


def test_evaluate_tells_of_every_class(trained, capsys):
    found = json.loads(output(capsys, "classify", "evaluate", trained, "--json").out)
    matrix = np.array(found["confusion_matrix"])
    assert np.trace(matrix) / matrix.sum() == found["accuracy"]
    rows = found["per_class"]
    assert [row["support"] for row in rows] == matrix.sum(axis=1).tolist()
    np.testing.assert_allclose(
        [row["recall"] for row in rows], matrix.diagonal() / matrix.sum(axis=1)
    )
    assert sum(row["count"] for row in found["calibration"]) == 360
    text = output(capsys, "classify", "evaluate", trained).out
    first, _, heading, _, *lines = text.splitlines()
    recalls = {row["class_name"]: row["recall"] for row in rows}
    assert found["balanced_accuracy"] == pytest.approx(np.mean(list(recalls.values())))
    worst = sorted(recalls, key=recalls.get)[:3]
    assert first == (
        f"test accuracy {found['accuracy']:.2%}, balanced {found['balanced_accuracy']:.2%} "
        f"(worst recall {', '.join(f'{name} {recalls[name]:.0%}' for name in worst)}), "
        f"top-5 {found['top5_accuracy']:.2%}, "
        f"cross-entropy {found['loss']:.4f}, "
        f"calibration error {found['expected_calibration_error']:.2%} (360 images)"
    )
    assert heading.split() == ["class", "precision", "recall", "F1", "images"]
    assert [line.split() for line in lines] == [
        [
            row["class_name"],
            f"{row['precision']:.3f}",
            f"{row['recall']:.3f}",
            f"{row['f1']:.3f}",
            str(row["support"]),
        ]
        for row in rows
    ]


def test_evaluate_draws_into_a_new_folder(trained, tmp_path, capsys):
    evaluate = ("classify", "evaluate", trained, "--plots", tmp_path / "a" / "b")
    lines = output(capsys, *evaluate).out.splitlines()
    plots = sorted((tmp_path / "a" / "b").iterdir())
    assert [path.name for path in plots] == [
        "calibration.png",
        "confusion_matrix.png",
        "examples.png",
        "per_class.png",
    ]
    assert sorted(line.split()[-1] for line in lines if line.startswith("plot:")) == [
        str(path) for path in plots
    ]
    for path in plots:
        assert min(image_size(path)) > 300
    error = output(capsys, *evaluate, status=2).err
    assert "is not empty; choose a new folder for the figures." in error


def test_the_worst_of_very_many_classes_are_listed(capsys):
    scores = np.random.default_rng(0).permutation(60) / 60
    rows = [
        {"class_name": f"[c] {i}", "precision": 1, "recall": 1, "f1": f1, "support": 9}
        for i, f1 in enumerate(scores)
    ]
    rows[0] |= {"f1": 0, "support": 0}  # without examples there is nothing to be bad at
    found = {"accuracy": 0.5, "loss": 1, "expected_calibration_error": 0.1, "num_examples": 1000}
    shown = [
        {"class_name": name, "recall": recall, "support": support}
        for name, recall, support in (("cat", 1, 95), ("dog", 0.25, 4), ("emu", 0, 0))
    ]
    assert _line({**found, "balanced_accuracy": 0.625, "per_class": shown}) == (
        "accuracy 50.00%, balanced 62.50% (recall cat 100%, dog 25%; 1 without examples), "
        "cross-entropy 1.0000, calibration error 10.00% (1,000 images)"
    )
    table = _table(rows)
    assert table.note == "the worst 20 of 60 classes by F1 (--json lists all):"
    print_table(table.headings, table.rows)
    _, _, *lines = capsys.readouterr().out.splitlines()
    worst = 1 + np.argsort(scores[1:])[:20]
    assert [line.split()[:2] for line in lines] == [["[c]", str(i)] for i in worst]


def test_a_long_class_name_is_whole_in_a_pipe(capsys):
    name = "x" * 150
    row = {"class_name": name, "precision": 1, "recall": 1, "f1": 1, "support": 9}
    table = _table([row])
    print_table(table.headings, table.rows)
    assert capsys.readouterr().out.splitlines()[-1].split()[0] == name


def test_evaluate_on_other_classes_is_refused(trained, pictures, capsys):
    error = output(capsys, "classify", "evaluate", trained, "--data", pictures, status=2).err
    assert "must have the classes of the training (0, 1, 2, 3, 4, ...); got blue, red." in error
