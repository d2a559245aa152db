import json
import re
import shutil
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image, ImageOps

from kerascnn.data import HeldOutWarning
from kerascnn.tasks import Request, get_task
from kerascnn.tasks.start import Start
from kerascnn_apps.cli import run
from tests.apps.commands import image_size

QUICK = ["--model", "unet", "--option", "width=8", "--option", "depth=2", "--recipe", "quick"]
MORE = ["--ignore", "unknown", "--epochs", 8, "--batch-size", 4, "--factor", 0.5]
MORE += ["--crop-size", 16, 24]


def output(capsys, *arguments, status=0):
    capsys.readouterr()
    assert run(["segment", *map(str, arguments)]) == status
    return capsys.readouterr()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Pictures of red and blue fields on gray, some of them of unknown kind."""
    root = tmp_path_factory.mktemp("data") / "fields"
    rng = np.random.default_rng(0)
    for kind in ("images", "masks"):
        (root / kind).mkdir(parents=True)
    (root / "classes.txt").write_text("ground\nunknown\nred\nblue\n")
    for i in range(20):
        mask = np.zeros((40, 56), np.uint8)
        for value in rng.permutation([1, 2, 3]):
            top, left = rng.integers(0, 24), rng.integers(0, 36)
            mask[top : top + 16, left : left + 20] = value
        colors = np.array([[90, 90, 90], [90, 200, 90], [220, 30, 30], [30, 30, 220]])
        image = np.clip(colors[mask] + rng.normal(0, 12, (*mask.shape, 3)), 0, 255)
        Image.fromarray(image.astype(np.uint8)).save(root / "images" / f"field{i}.png")
        Image.fromarray(mask).save(root / "masks" / f"field{i}.png")
    return root


@pytest.fixture(scope="module")
def trained(folder, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "fields"
    arguments = ["train", "--data", folder, "--out", out, *QUICK, *MORE]
    assert run(["segment", *map(str, arguments)]) == 0
    return out


def test_train_leaves_a_whole_run(trained):
    plots = {path.name for path in (trained / "plots").iterdir()}
    assert plots == {
        "confusion_matrix.png",
        "learning_curves.png",
        "overlays.png",
        "per_class.png",
    }
    recipe = json.loads((trained / "recipe.json").read_text())
    assert recipe["data"]["class_names"] == ["ground", "unknown", "red", "blue"]
    assert recipe["data"]["ignored"] == ["unknown"]
    assert recipe["model"]["options"] == {"width": 8, "depth": 2}
    assert recipe["training"]["factor"] == 0.5
    assert recipe["training"]["crop_size"] == [16, 24]
    metrics = json.loads((trained / "metrics.json").read_text())["test"]
    assert metrics["num_images"] == 2
    assert metrics["mean_iou"] > 0.6
    assert [row["class_name"] for row in metrics["per_class"]] == ["ground", "red", "blue"]
    header = (trained / "history.csv").read_text().splitlines()[0]
    assert {"mean_iou", "val_mean_iou"} <= set(header.split(","))
    assert len(list((trained / "examples").rglob("*.png"))) == 2


def test_a_finished_run_is_left_alone(trained, folder, capsys):
    before = (trained / "model.keras").read_bytes()
    text = output(capsys, "train", "--data", folder, "--out", trained, *QUICK, *MORE).out
    assert "finished run" in text
    assert (trained / "model.keras").read_bytes() == before


def test_evaluate_repeats_the_metrics(trained, capsys, tmp_path):
    metrics = json.loads((trained / "metrics.json").read_text())["test"]
    found = json.loads(output(capsys, "evaluate", trained, "--json").out)
    assert found["mean_iou"] == metrics["mean_iou"]
    matrix = np.array(found["confusion_matrix"])
    ious = np.diag(matrix) / (matrix.sum(0) + matrix.sum(1) - np.diag(matrix))
    assert found["mean_iou"] == pytest.approx(ious.mean())
    assert found["global_accuracy"] == pytest.approx(np.trace(matrix) / matrix.sum())
    result = output(
        capsys, "evaluate", trained, "--split", "validation", "--plots", tmp_path / "plots"
    )
    assert result.out.startswith("validation mean IoU ")
    assert "blue" in result.out
    assert (tmp_path / "plots" / "overlays.png").is_file()


def test_predict_writes_masks_overlays_and_probabilities(trained, folder, capsys, tmp_path):
    out = tmp_path / "answers"
    results = json.loads(
        output(
            capsys, "predict", trained, folder / "images", "--out", out, "--probabilities", "--json"
        ).out
    )
    assert len(results) == 20
    matrix = np.zeros((4, 4))
    for result in results:
        mask = np.asarray(Image.open(result["mask"]))
        name = result["mask"].rsplit("/", 1)[1]
        truth = np.asarray(Image.open(folder / "masks" / name))
        np.add.at(matrix, (truth, mask), 1)
        probabilities = np.load(result["probabilities"])
        assert probabilities.shape == (*mask.shape, 3)
        # In a mask stand the values of classes.txt, among which the ignored one has its place.
        np.testing.assert_array_equal(mask, np.array([0, 2, 3])[probabilities.argmax(axis=-1)])
        assert image_size(result["overlay"]) == mask.shape[::-1]
    assert matrix[[0, 2, 3], [0, 2, 3]].sum() / matrix[[0, 2, 3]].sum() > 0.8
    error = output(capsys, "predict", trained, folder / "images", "--out", out, status=2).err
    assert error.count("exists; --force overwrites it") == 20
    output(capsys, "predict", trained, folder / "images", "--out", out, "--force")


def test_predict_tells_of_broken_files_and_does_the_others(trained, folder, capsys, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"nothing")
    files = [tmp_path / "broken.png", folder / "images" / "field3.png"]
    result = output(capsys, "predict", trained, *files, "--out", tmp_path / "out", status=1)
    assert "broken.png cannot be read as an image" in result.err
    assert (tmp_path / "out" / "masks" / "field3.png").is_file()
    shutil.copy(files[1], tmp_path / "field3.png")
    twice = [files[1], tmp_path / "field3.png"]
    error = output(capsys, "predict", trained, *twice, "--out", tmp_path / "two", status=2).err
    assert "is the prediction for another file" in error
    same = output(capsys, "predict", trained, files[1], files[1], "--out", tmp_path / "once").out
    assert len(same.splitlines()) == 1
    assert (tmp_path / "two" / "masks" / "field3.png").is_file()


@pytest.mark.nightly  # by day: tests/export, and `classify export`
def test_the_export_answers_as_predict_does(trained, capsys, tmp_path):
    path = output(capsys, "export", trained, "--out", tmp_path / "export").out.split()[-1]
    pixels = np.random.default_rng(0).integers(0, 256, (33, 47, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "odd.png")
    output(capsys, "predict", trained, tmp_path / "odd.png", "--out", tmp_path / "out")
    signature = tf.saved_model.load(path).signatures["encoded_images"]
    encoded = (tmp_path / "odd.png").read_bytes()
    mask = signature(encoded_images=tf.constant([encoded]))["mask"][0].numpy()
    np.testing.assert_array_equal(
        mask, np.asarray(Image.open(tmp_path / "out" / "masks" / "odd.png"))
    )


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ["--model", "resnet20"],
            r"`model` must be one for segmentation \('deeplabv3_resnet50', .*'resnet20'",
        ),
        (["--model", "unett"], "Did you mean 'unet'"),
        (["--option", "width"], "must have the form NAME=VALUE; got 'width'"),
        (["--option", "colour=3"], "options of 'unet' are .*got colour=3"),
        (["--recipe", "slow"], "must be one of 'quick', 'standard', 'finetune'; got recipe='slow'"),
        (["--loss", "l2"], "got .*l2"),
        (["--factor", "0"], "`factor` must be a number above 0"),
        (["--ignore", "11"], "`ignore` must be one of 'background', .*got ignore='11'"),
        (["--data", "/no/such"], "There is no folder /no/such"),
        (["--data", "senes"], "got 'senes'|'senes' is not an embedded dataset"),
        (["--seed", "-1"], r"`seed` must be an int in \[0, 2\*\*32\); got seed=-1"),
    ],
)
def test_wrong_use_of_train(arguments, sentence, capsys, tmp_path):
    error = output(capsys, "train", "--out", tmp_path / "run", *arguments, status=2).err
    assert re.search(sentence, error), error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_runs_of_another_kind_are_refused(tmp_path, capsys):
    for recipe, sentence in (
        ('{"kerascnn": "run", "format": 1}', "must be a run of `kerascnn segment train`"),
        ('{"versions": {}}', "is not a run: "),
    ):
        (tmp_path / "recipe.json").write_text(recipe)
        for command in ("evaluate", "predict", "export"):
            more = ["picture.png"] if command == "predict" else []
            assert sentence in output(capsys, command, tmp_path, *more, status=2).err


def test_force_clears_nothing_for_a_command_that_is_wrong(trained, folder, capsys):
    for wrong in (["--loss", "l2"], ["--factor", "0"], ["--crop-size", 0, 5], ["--epochs", "0"]):
        arguments = ["train", "--data", folder, "--out", trained, "--force", *QUICK, *wrong]
        output(capsys, *arguments, status=2)
        assert (trained / "metrics.json").is_file()


@pytest.mark.nightly  # by day: `classify` shows the same of seeds and `--force`
def test_one_seed_gives_one_result_also_by_force(folder, capsys, tmp_path):
    arguments = ["train", "--data", folder, *QUICK, "--epochs", "1", "--crop-size", 16, 16]
    arguments += ["--class-weights", "--precision", "mixed_bfloat16"]
    output(capsys, *arguments, "--out", tmp_path / "a")
    recipe = json.loads((tmp_path / "a" / "recipe.json").read_text())
    assert recipe["training"]["class_weights"]
    assert recipe["training"]["precision"] == "mixed_bfloat16"
    first = (tmp_path / "a" / "history.csv").read_text()
    output(capsys, *arguments, "--out", tmp_path / "a", "--force")
    again = (tmp_path / "a" / "history.csv").read_text()
    assert [row.rsplit(",", 1)[0] for row in first.splitlines()] == [
        row.rsplit(",", 1)[0] for row in again.splitlines()
    ]


# `classify` does the same every day, and `tests/training/test_resume.py` trains this task.
@pytest.mark.nightly
def test_an_interrupted_run_goes_on(folder, capsys, tmp_path, monkeypatch):
    arguments = ["train", "--data", folder, *QUICK, "--epochs", "2", "--out", tmp_path / "run"]
    with monkeypatch.context() as patch:
        patch.setattr("kerascnn.runs.training._finish", interrupt)
        output(capsys, *arguments, status=1)
    assert not (tmp_path / "run" / "metrics.json").exists()
    output(capsys, *arguments)
    assert (tmp_path / "run" / "metrics.json").is_file()
    assert len((tmp_path / "run" / "history.csv").read_text().splitlines()) == 3


def interrupt(*args):
    raise RuntimeError("the light went out")


def test_other_apps_refuse_the_run(trained, capsys):
    capsys.readouterr()
    for command in ("classify", "upscale", "reconstruct"):
        assert run([command, "export", str(trained)]) == 2
        error = capsys.readouterr().err
        assert (
            f"must be a run of `kerascnn {command} train`; got another run (segmentation)." in error
        )


def test_evaluate_on_other_images(trained, folder, capsys, tmp_path):
    """A few new images serve as a test, whatever is missing in them."""
    other = tmp_path / "other"
    for kind in ("images", "masks"):
        (other / "test" / kind).mkdir(parents=True)
        for name in ("field0.png", "field1.png", "field2.png"):
            shutil.copy(folder / kind / name, other / "test" / kind)
    shutil.copy(folder / "classes.txt", other)
    evaluate = ("evaluate", trained, "--data", other, "--json")
    found = json.loads(output(capsys, *evaluate).out)
    assert found["num_images"] == 3
    (other / "test").rename(tmp_path / "flat")
    shutil.copy(folder / "classes.txt", tmp_path / "flat")
    evaluate = ("evaluate", trained, "--data", tmp_path / "flat", "--split", "all", "--json")
    again = json.loads(output(capsys, *evaluate).out)
    assert again["num_images"] == 3
    assert again["mean_iou"] == pytest.approx(found["mean_iou"])
    error = output(capsys, *evaluate[:4], "--split", "any", status=2).err
    assert "`split` must be one of 'train', 'validation', 'test', 'all'; got split='any'" in error


@pytest.mark.parametrize(
    ("size", "factor", "crop_size", "window"),
    [
        ((360, 480), 1.0, None, None),
        ((3024, 4032), 1.0, None, (256, 256)),
        ((3024, 4032), 0.125, None, None),
        ((None, 480), 1.0, None, (256, 256)),
        ((3024, 4032), 1.0, (512, 640), (512, 640)),
    ],
)
def test_large_images_are_trained_in_windows(size, factor, crop_size, window):
    request = Request(data="streets", changes={"factor": factor, "crop_size": crop_size})
    data = types.SimpleNamespace(image_shape=(*size, 3))
    recipe = get_task("segmentation").recipe(request, Start("unet"), data)
    assert recipe.crop_size == window


@pytest.mark.parametrize(
    ("spoil", "sentence", "status"),
    [
        (lambda root: (root / "masks" / "field3.png").unlink(), r"no mask for .*field3\.png", 2),
        (
            lambda root: Image.new("L", (9, 9)).save(root / "masks" / "field3.png"),
            r"got 9x9 for 56x40 in .*field3\.png",
            2,
        ),
        (
            lambda root: Image.new("L", (56, 40), 77).save(root / "masks" / "field3.png"),
            r"numbers of classes\.txt, 0 to 3, .*got 77 in .*field3\.png",
            2,
        ),
        (
            lambda root: (root / "masks" / "field3.png").write_bytes(b"no"),
            r"field3\.png cannot be read as a mask",
            1,
        ),
        (lambda root: (root / "classes.txt").unlink(), r"no .*classes\.txt", 2),
    ],
)
def test_a_broken_folder_gets_a_sentence(spoil, sentence, status, folder, capsys, tmp_path):
    shutil.copytree(folder, tmp_path / "fields")
    spoil(tmp_path / "fields")
    arguments = ["train", "--data", tmp_path / "fields", "--strict", "--out", tmp_path / "run"]
    error = output(capsys, *arguments, status=status).err
    assert re.search(sentence, error), error
    assert len(error.strip().splitlines()) == 1
    assert not (tmp_path / "run").exists()


def test_a_test_without_labels_ends_in_order(folder, capsys, tmp_path):
    """Public sets withhold the labels of their test images."""
    root = tmp_path / "fields"
    shutil.copytree(folder, root / "train")
    (root / "train" / "classes.txt").rename(root / "classes.txt")
    for kind in ("images", "masks"):
        (root / "test" / kind).mkdir(parents=True)
    with Image.open(folder / "images" / "field0.png") as image:  # another one than in training
        ImageOps.mirror(image).save(root / "test" / "images" / "field0.png")
    Image.new("L", (56, 40), 255).save(root / "test" / "masks" / "field0.png")
    arguments = ["train", "--data", root, *QUICK, "--epochs", "1", "--out", tmp_path / "run"]
    with pytest.warns(HeldOutWarning, match="no validation split"):
        text = output(capsys, *arguments).out
    assert "test mean IoU -, class average -, global accuracy -" in text
