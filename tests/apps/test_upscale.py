import json
import shutil
import warnings
from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

import kerascnn
from kerascnn.inference import upscale
from kerascnn.metrics import luminance_psnr
from kerascnn.runs import ChangedDataWarning
from kerascnn.tasks.upscaling import RECIPES
from kerascnn.training import RunFolder
from kerascnn_apps.cli import run
from tests.apps.commands import image_size, output


def told(capsys, *arguments, status=2):
    error = output(capsys, *arguments, status=status).err
    assert error.startswith("kerascnn: ")
    assert error.count("\n") == 1
    assert error.rstrip().endswith((".", "?"))
    return error


@pytest.fixture(scope="module", autouse=True)
def few_patches():
    """Recipes with few patches in an epoch, for the tests of this file."""
    with pytest.MonkeyPatch.context() as patch:
        for name, recipe in RECIPES.rows.items():
            patch.setitem(RECIPES.rows, name, replace(recipe, patches=64))
        yield


def picture(path, seed, size=(60, 66), mode="RGB"):
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    small = Image.fromarray(rng.integers(0, 256, (9, 8, 3)).astype(np.uint8))
    small.resize(size[::-1], Image.Resampling.BICUBIC).convert(mode).save(path)
    return path


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of ten pictures."""
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(10):
        picture(folder / f"{i}.png", seed=i)
    return folder


@pytest.fixture(scope="module")
def upscaler(tmp_path_factory, pictures):
    """A run of one epoch."""
    folder = tmp_path_factory.mktemp("upscale") / "run"
    train = ["upscale", "train", "--data", pictures, "--epochs", "1", "--out", folder]
    assert run([str(argument) for argument in train]) == 0
    return folder


def test_train_leaves_a_whole_run(upscaler, pictures):
    assert {entry.name for entry in upscaler.iterdir()} == {
        "checkpoints",
        "events",
        "examples",
        "history.csv",
        "manifest.jsonl",
        "metrics.json",
        "model.keras",
        "plots",
        "recipe.json",
    }
    assert {path.name for path in (upscaler / "plots").iterdir()} == {
        "comparison.png",
        "learning_curves.png",
    }
    for path in (upscaler / "plots").iterdir():
        assert min(image_size(path)) > 300
    recipe = json.loads((upscaler / "recipe.json").read_text())
    model = {"name": "espcn_x3", "parameters": 22729, "options": {}, "weights": None}
    assert recipe["model"] == model
    assert recipe["data"]["name"] == str(pictures)
    assert recipe["data"]["num_examples"] == {"train": 8, "validation": 1, "test": 1}
    assert recipe["data"]["smallest"] == 51
    training = {"loss": "mean_squared_error", "patch_size": 17, "patches": 64, "epochs": 1}
    assert recipe["training"].items() >= training.items()
    header = (upscaler / "history.csv").read_text().splitlines()[0]
    assert header == "epoch,loss,psnr,val_loss,val_psnr,seconds"
    metrics = json.loads((upscaler / "metrics.json").read_text())
    assert metrics["best_epoch"] == 1
    (row,) = metrics["test"]["pictures"]
    assert metrics["test"] == {
        "num_pictures": 1,
        "pictures": [row],
        **{key: value for key, value in row.items() if key != "name"},
    }
    assert 5 < row["psnr"] < row["bicubic_psnr"] < 60
    (example,) = (upscaler / "examples").iterdir()
    assert example.name == row["name"]
    assert image_size(example) == (22, 20)


def test_evaluate_repeats_the_metrics(upscaler, capsys):
    metrics = json.loads((upscaler / "metrics.json").read_text())["test"]
    evaluate = ("upscale", "evaluate", upscaler)
    assert json.loads(output(capsys, *evaluate, "--json").out) == metrics
    first, _, heading, _, line = output(capsys, *evaluate).out.splitlines()
    assert first == (
        f"test PSNR {metrics['psnr']:.2f} dB, SSIM {metrics['ssim']:.4f}; "
        f"bicubic {metrics['bicubic_psnr']:.2f} dB, {metrics['bicubic_ssim']:.4f} (1 image)"
    )
    assert heading.split("  ")[0] == "image"
    assert line.split() == [
        metrics["pictures"][0]["name"],
        f"{metrics['psnr']:.2f}",
        f"{metrics['ssim']:.4f}",
        f"{metrics['bicubic_psnr']:.2f}",
        f"{metrics['bicubic_ssim']:.4f}",
        f"{metrics['psnr'] - metrics['bicubic_psnr']:+.2f}",
    ]


def test_evaluate_on_all_of_other_pictures(upscaler, tmp_path, capsys):
    for i in range(2):
        picture(tmp_path / "other" / f"{i}.jpg", seed=20 + i, size=(40, 50))
    evaluate = ("upscale", "evaluate", upscaler, "--data", tmp_path / "other", "--split", "all")
    found = json.loads(output(capsys, *evaluate, "--json").out)
    assert {row["name"] for row in found["pictures"]} == {"0.jpg", "1.jpg"}
    assert found["psnr"] == pytest.approx(np.mean([row["psnr"] for row in found["pictures"]]))
    plots = tmp_path / "plots"
    lines = output(capsys, *evaluate, "--plots", plots).out.splitlines()
    assert lines[-2].split()[0] == "mean"
    assert lines[-1] == f"plot:        {plots / 'comparison.png'}"
    assert min(image_size(plots / "comparison.png")) > 300
    assert "is not empty; choose a new folder" in told(capsys, *evaluate, "--plots", plots)
    assert "must have images in its test split" in told(capsys, *evaluate[:-1], "test")
    assert "`split` must be one of 'train'" in told(capsys, *evaluate[:-1], "nothing")


def test_a_finished_run_is_not_touched(upscaler, pictures, capsys):
    before = {path: path.stat().st_mtime_ns for path in upscaler.rglob("*")}
    text = output(capsys, "upscale", "train", "--data", pictures, "--out", upscaler).out
    assert "has a finished run" in text
    assert {path: path.stat().st_mtime_ns for path in upscaler.rglob("*")} == before


@pytest.mark.parametrize(
    "wrong",
    [
        ["--model", "espcn_x7"],
        ["--model", "lenet5"],
        ["--data", "no_such_folder"],
        ["--recipe", "pie"],
        ["--patch-size", "0"],
        ["--patch-size", "30"],
        ["--epochs", "0"],
        ["--precision", "half"],
        ["--seed", "-1"],
    ],
)
@pytest.mark.filterwarnings("ignore:Skipped")
def test_force_clears_nothing_for_a_command_that_is_wrong(upscaler, pictures, capsys, wrong):
    before = {path: path.stat().st_mtime_ns for path in upscaler.rglob("*")}
    train = ("upscale", "train", "--data", pictures, "--out", upscaler, "--force")
    output(capsys, *train, *wrong, status=2)
    assert {path: path.stat().st_mtime_ns for path in upscaler.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "espcn_x7"], "got name='espcn_x7'"),
        (["--model", "lenet5"], "got model='lenet5', which is for classification (`kerascnn cl"),
        (["--data", "no_such_folder"], "There is no folder no_such_folder"),
        (["--recipe", "pie"], "`recipe` must be one of 'quick', 'standard'; got recipe='pie'"),
        (["--patch-size", "0"], "got patch_size=0"),
        (["--batch-size", "0"], "got batch_size=0"),
        (["--patches", "0"], "got patches=0"),
        (["--seed", "-1"], "got seed=-1"),
        (["--no-such-option"], "--no-such-option"),
    ],
)
def test_wrong_use_of_train(arguments, sentence, tmp_path, capsys):
    assert sentence in told(capsys, "upscale", "train", "--out", tmp_path / "out", *arguments)
    assert not (tmp_path / "out").exists()


def test_folders_that_cannot_be_trained_on(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    train = ("upscale", "train", "--data", tmp_path / "data", "--out", tmp_path / "run")
    assert "must have images of at least 51x51 pixels" in told(capsys, *train)
    picture(tmp_path / "data" / "a.png", seed=0)
    assert "must have at least two images of at least 51x51 pixels" in told(capsys, *train)
    picture(tmp_path / "data" / "b.png", seed=1, size=(50, 90))
    assert "b.png must be at least 51 pixels high and wide; got 50x90" in told(
        capsys, *train, "--strict"
    )
    (tmp_path / "file").touch()
    assert "file is a file" in told(capsys, *train[:-1], tmp_path / "file" / "run")
    (tmp_path / "data" / "a.png").write_bytes(b"nothing")
    assert "a.png cannot be read" in told(capsys, *train, "--strict", status=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.nightly  # by day: that of a classifier
def test_an_unfinished_run_goes_on_and_another_is_refused(upscaler, pictures, tmp_path, capsys):
    copy = tmp_path / "copy"
    shutil.copytree(upscaler, copy)
    (copy / "metrics.json").unlink()
    train = ("upscale", "train", "--data", pictures, "--out", copy, "--epochs")
    assert "started with another training;" in told(capsys, *train, 1, "--batch-size", 3)
    output(capsys, *train, 1)
    for name in ("history.csv", "metrics.json"):
        if name == "history.csv":
            assert (copy / name).read_text() == (upscaler / name).read_text()
        else:
            first, again = (json.loads((f / name).read_text()) for f in (upscaler, copy))
            assert first == again
    output(capsys, *train, 2, "--force")
    assert len((copy / "history.csv").read_text().splitlines()) == 3


# `classify` does the same every day, and `tests/training/test_resume.py` trains this task.
@pytest.mark.nightly
def test_one_seed_gives_one_result(upscaler, pictures, tmp_path, capsys):
    train = ("upscale", "train", "--data", pictures, "--epochs", 1, "--out")
    output(capsys, *train, tmp_path / "again")
    output(capsys, *train, tmp_path / "other", "--seed", 1)
    first, again, other = (
        RunFolder(folder).load_model().get_weights()
        for folder in (upscaler, tmp_path / "again", tmp_path / "other")
    )
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first[0], other[0])


def test_predict_writes_pictures_of_every_kind(upscaler, tmp_path, capsys):
    images = tmp_path / "images"
    color = picture(images / "deep" / "color.png", seed=0, size=(11, 14))
    gray = picture(images / "gray.png", seed=1, size=(7, 5), mode="L")
    Image.open(color).quantize(16).save(images / "palette.png")
    Image.open(color).convert("RGBA").save(images / "alpha.webp", lossless=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.open(color).save(images / "turned.jpg", exif=exif)
    out = tmp_path / "out"
    predict = ("upscale", "predict", upscaler, images, "--out", out)
    results = json.loads(output(capsys, *predict, "--json").out)
    sizes = {
        "alpha_x3.png": (42, 33),
        "deep/color_x3.png": (42, 33),
        "gray_x3.png": (15, 21),
        "palette_x3.png": (42, 33),
        "turned_x3.png": (33, 42),
    }
    assert len(results) == len(sizes)
    found = {}
    for result in results:
        assert (result["width"], result["height"]) == image_size(result["upscaled"])
        found[result["upscaled"].removeprefix(f"{out}/")] = result["width"], result["height"]
    assert found == sizes
    assert np.asarray(Image.open(out / "gray_x3.png")).ndim == 2
    model = RunFolder(upscaler).load_model()
    for source, target in ((color, "deep/color_x3.png"), (gray, "gray_x3.png")):
        expected = upscale(model, kerascnn.data.read_image(source))
        np.testing.assert_array_equal(kerascnn.data.read_image(out / target), expected)


def test_predictions_are_not_the_images_of_the_next_time(upscaler, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    picture(tmp_path / "a.png", seed=0, size=(8, 8))
    words = ("upscale", "predict", upscaler, ".", "--force")
    assert output(capsys, *words).out == "a.png  24x24  predictions/a_x3.png\n"
    with pytest.warns(UserWarning, match="1 images in predictions are left out"):
        assert output(capsys, *words).out == "a.png  24x24  predictions/a_x3.png\n"
    found = output(capsys, "upscale", "predict", upscaler, "predictions", "--out", "larger").out
    assert found == "predictions/a_x3.png  72x72  larger/a_x3_x3.png\n"
    assert len(list((tmp_path / "predictions").rglob("*"))) == 1


def test_predict_overwrites_nothing_and_does_the_rest(upscaler, tmp_path, capsys):
    images, out = tmp_path / "images", tmp_path / "out"
    for name in ("a.png", "b.png", "b.jpg", "c.png"):
        picture(images / name, seed=0, size=(8, 8))
    (images / "broken.png").write_bytes(b"nothing")
    out.mkdir()
    (out / "a_x3.png").write_text("mine")
    predict = ("upscale", "predict", upscaler, images, "--out", out)
    found = output(capsys, *predict, status=1)
    assert found.out.splitlines() == [
        f"{images / name}  24x24  {out / name[0]}_x3.png" for name in ("b.jpg", "c.png")
    ]
    errors = found.err.splitlines()
    assert len(errors) == 3
    assert f"a.png is left out: {out / 'a_x3.png'} exists; --force overwrites it." in errors[0]
    assert "b_x3.png is the prediction for another file" in errors[1]
    assert "broken.png cannot be read as an image" in errors[2]
    assert (out / "a_x3.png").read_text() == "mine"
    (images / "broken.png").unlink()
    (images / "b.jpg").unlink()
    output(capsys, *predict, "--force")
    assert image_size(out / "a_x3.png") == (24, 24)


@pytest.mark.parametrize(
    ("path", "out", "sentence"),
    [
        ("absent.png", "out", "There is no file or folder"),
        (".", "out", "must have images"),
        ("a.png", "a.png", "must be a folder for predictions; got a file"),
    ],
)
def test_wrong_use_of_predict(upscaler, tmp_path, capsys, path, out, sentence):
    if path == "a.png":
        picture(tmp_path / path, seed=0)
    arguments = ("upscale", "predict", upscaler, tmp_path / path, "--out", tmp_path / out)
    assert sentence in told(capsys, *arguments)


@pytest.mark.nightly  # by day: tests/export, and `classify export`
def test_export_serves_the_answers_of_predict(upscaler, tmp_path, capsys):
    text = output(capsys, "upscale", "export", upscaler, "--out", tmp_path / "served").out
    assert text.split()[-1] == str(tmp_path / "served" / "1")
    served = tf.saved_model.load(tmp_path / "served" / "1").signatures
    files = sorted((upscaler / "examples").iterdir())
    output(capsys, "upscale", "predict", upscaler, *files, "--out", tmp_path / "out")
    expected = [kerascnn.data.read_image(path) for path in sorted((tmp_path / "out").iterdir())]
    for answer in (
        served["encoded_images"](encoded_images=[file.read_bytes() for file in files]),
        served["serving_default"](images=[kerascnn.data.read_image(file) for file in files]),
    ):
        assert np.abs(answer["images"].numpy().astype(int) - np.stack(expected)).max() <= 1


@pytest.mark.parametrize("command", ["evaluate", "export"])
def test_a_folder_without_a_run_of_this_app(command, tmp_path, capsys):
    assert "is not a run" in told(capsys, "upscale", command, tmp_path / "absent")
    RunFolder(tmp_path / "other").begin({"training": {}})
    assert "must be a run of `kerascnn upscale train`" in told(
        capsys, "upscale", command, tmp_path / "other"
    )


@pytest.mark.nightly  # by day: colors in tests/inference/test_upscaling.py and tests/data
def test_a_color_model_on_real_pictures(real_data, tmp_path, capsys, monkeypatch):
    config = kerascnn.models.rows.EDSRConfig(factor=2, depth=1, width=8)
    create_model = kerascnn.models.create_model
    monkeypatch.setattr(
        kerascnn.models, "create_model", lambda *args, **kwargs: create_model(config)
    )
    folder = tmp_path / "frames"
    folder.mkdir()
    for path in sorted((real_data / "camvid" / "val" / "images").iterdir())[:4]:
        shutil.copy(path, folder)
    options = ("--model", "edsr_baseline_x2", "--epochs", 1, "--patch-size", 16)
    train = ("upscale", "train", "--data", folder, "--out", tmp_path / "run", *options)
    assert "\ntest PSNR " in output(capsys, *train).out
    recipe = json.loads((tmp_path / "run" / "recipe.json").read_text())
    assert recipe["training"]["loss"] == "mean_absolute_error"
    (row,) = json.loads((tmp_path / "run" / "metrics.json").read_text())["test"]["pictures"]
    image = kerascnn.data.read_image(folder / row["name"])
    low, truth = kerascnn.data.downscale_bicubic(image, 2)
    answer = upscale(RunFolder(tmp_path / "run").load_model(), low)
    assert row["psnr"] == pytest.approx(luminance_psnr(truth, answer, border=2))


@pytest.mark.filterwarnings("ignore:Skipped")
def test_what_was_trained_on_is_not_tested(tmp_path, capsys):
    """Pictures that are too small for the training move no border between the splits."""
    folder, out = tmp_path / "pictures", tmp_path / "run"
    for i in range(40):
        picture(folder / f"{i}.png", seed=i, size=(60, 60) if i % 2 else (30, 30))
    output(capsys, "upscale", "train", "--data", folder, "--epochs", 1, "--out", out)
    metrics = json.loads((out / "metrics.json").read_text())["test"]
    with warnings.catch_warnings(action="error", category=ChangedDataWarning):
        assert json.loads(output(capsys, "upscale", "evaluate", out, "--json").out) == metrics
    for i in range(40, 60):
        picture(folder / f"{i}.png", seed=i)
    sentence = "had 16 train, 2 validation, 2 test images when the model was trained and has"
    with pytest.warns(ChangedDataWarning, match=sentence):
        output(capsys, "upscale", "evaluate", out)


def test_images_that_pillow_refuses_are_read(upscaler, monkeypatch, capsys, tmp_path):
    """Pillow refuses images of more than twice this number of pixels by itself."""
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    large = picture(tmp_path / "large.png", seed=0, size=(20, 30))
    with pytest.raises(Image.DecompressionBombError):
        Image.open(large)
    (answer,) = json.loads(
        output(
            capsys, "upscale", "predict", upscaler, large, "--out", tmp_path / "out", "--json"
        ).out
    )
    assert (answer["width"], answer["height"]) == (90, 60)
    assert Image.MAX_IMAGE_PIXELS == 100
