import warnings
from pathlib import Path

import pytest

from tests.apps.commands import output
from tests.apps.folder_lines import LAYOUTS, block
from tests.data import folders
from tests.nightly import every_night

PAGE = Path(__file__).resolve().parents[2] / "docs/en/reference/folders.md"


@pytest.mark.parametrize(
    "title",
    [
        pytest.param(title, marks=[pytest.mark.extra("coco")] if title == "COCO" else [])
        for title in LAYOUTS
    ],
)
def test_the_documentation_shows_what_is_printed(title):
    assert block(title) in PAGE.read_text("utf-8")


def test_what_looks_wrong_is_listed(tmp_path, capsys):
    folders.classes(tmp_path, (30, 2))
    (tmp_path / "cats" / "7.png").write_bytes(b"no image")
    folders.save(tmp_path / "cats" / "notes.txt.png", folders.pixels((0, 0, 3), 0))
    (tmp_path / "dogs" / "labels.xml").write_text("<labels/>")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # nothing is told twice
        text = output(capsys, "classify", "check", "--data", tmp_path).out
    lines = [line.partition(":")[0::2] for line in text.splitlines()]
    kinds = [kind for kind, _ in lines]
    assert kinds[:4] == ["data", "files", "note", "images"]
    assert kinds[4:] == ["warning"] * (len(kinds) - 4)
    for part in (
        "Skipped: ",
        "`--class-weights` or `--balance`",
        "without an image to measure how well they are learned: dogs (test)",
    ):
        assert part in text
    assert "note:        1 file is left out: dogs/labels.xml." in text


def test_errors_end_with_status_1(tmp_path, capsys):
    folders.masks(tmp_path, values=(0, 255))
    text = output(capsys, "segment", "check", "--data", tmp_path, status=1).out
    assert text.startswith("error:       The training masks of")
    assert "`--mask-values 0,255`" in text
    good = ("segment", "check", "--data", tmp_path, "--mask-values", "0,255")
    assert "by number, 0 ground, 255 field" in output(capsys, *good).out
    output(capsys, "segment", "check", "--data", tmp_path / "none", status=1)
    large = ("segment", "check", "--data", tmp_path, "--mask-values", "0,255", "--max-pixels", "99")
    assert "more than 99" in output(capsys, *large, status=1).out


def test_every_task_checks(scenery, capsys):
    for task, folder in (("upscale", "upscale"), ("reconstruct", "classify")):
        text = output(capsys, task, "check", "--data", scenery / folder).out
        assert text.startswith(f"data:        train {6 if folder == 'classify' else 8}")
    assert output(capsys, "classify", "check").out == (
        "data:        train 1,257, validation 180, test 360\n"
        "images:      8x8, resized to 28x28 (--image-size)\n"
    )


@pytest.mark.nightly  # by day: how they are read, and what `check` says of them
@pytest.mark.parametrize("kind", ["16", "float", "int32"])
def test_deep_images_are_learned_and_kept_in_the_recipe(tmp_path, capsys, kind):
    """Thirty epochs on images that are nearly or entirely constant without scaling."""
    convert, suffix = {
        "16": (folders.deep_png, ".png"),
        "float": (folders.float_tiff, ".tiff"),
        "int32": (folders.int_tiff, ".tif"),
    }[kind]
    folders.classes(tmp_path / "data", (40, 40), convert=convert, suffix=suffix)
    run = tmp_path / "run"
    words = ("--model", "mlp", "--epochs", "30", "--batch-size", "16", "--image-size", "12")
    changes = ("--augment", "shift=0", "--augment", "rotate=0", "--augment", "zoom=0")
    train = ("classify", "train", "--data", tmp_path / "data", *words, *changes, "--out", run)
    text = output(capsys, *train).out
    assert text.startswith("data:        train 64, validation 8 ")
    assert "are scaled to 0 to 255" in text
    accuracy = float(text.partition("test accuracy ")[2].partition("%")[0])
    assert accuracy > 90
    # What is predicted from a file is read by the range of the training set.
    for label, name in enumerate(("cats", "dogs")):
        file = tmp_path / f"{name}{suffix}"
        folders.save(file, convert(folders.pixels((9, label), label)))
        assert f"{name}{suffix}  {name}" in output(capsys, "classify", "predict", run, file).out
    found = output(capsys, "classify", "evaluate", run, "--data", tmp_path / "data").out
    assert found.startswith(f"test accuracy {accuracy:.2f}%")


@pytest.mark.nightly
def test_how_masks_are_read_is_kept_in_the_recipe(tmp_path, capsys):
    folders.masks(tmp_path / "data", 12, (0, 255), size=(16, 16))
    words = (
        "--model",
        "unet",
        "--option",
        "width=4",
        "--option",
        "depth=1",
        "--crop-size",
        "16",
        "16",
    )
    run = tmp_path / "run"
    values = ("--mask-values", "ground=0,field=255")
    train = ("segment", "train", "--data", tmp_path / "data", "--epochs", "1", *words, *values)
    assert "by number, 0 ground, 255 field" in output(capsys, *train, "--out", run).out
    assert output(capsys, "segment", "evaluate", run).out.startswith("test mean IoU")
    other = folders.masks(tmp_path / "other", 3, (0, 255), size=(16, 16), seed=1)
    found = output(capsys, "segment", "evaluate", run, "--data", other, "--split", "all").out
    assert "(3 images)" in found


@pytest.mark.parametrize(
    "option", every_night(["--class-weights", "--balance"], daily=["--balance"])
)
def test_class_weights_and_balance(option, tmp_path, capsys):
    folders.classes(tmp_path / "data", (40, 6))
    words = ("--data", tmp_path / "data", "--image-size", "12", "--model", "mlp", "--epochs", "1")
    out = tmp_path / "run"
    assert "balanced " in output(capsys, "classify", "train", *words, option, "--out", out).out
    both = ("classify", "train", *words, "--class-weights", "--balance")
    error = output(capsys, *both, "--out", tmp_path / "both", status=2).err
    assert "Leave out `--class-weights`." in error


def test_one_place_opens_images():
    """Nothing reads an image but `kerascnn.data.images`, and TensorFlow usual JPEG files."""
    root = PAGE.parents[3]
    paths = [*root.glob("kerascnn/**/*.py"), *root.glob("apps/**/*.py")]
    assert len(paths) > 300
    for path in paths:
        name, text = path.relative_to(root).as_posix(), path.read_text("utf-8")
        if name not in ("kerascnn/data/images.py", "kerascnn/data/mask_reading.py"):
            for word in ("Image.open", "imread", "load_img", "open_image(", "].load("):
                assert word not in text, (name, word)
        # Plain JPEG files, and the graph of an export
        if name not in ("kerascnn/data/jpeg.py", "kerascnn/export/decode.py"):
            for word in ("tf.io.decode", "tf.image.decode"):
                assert word not in text.replace("tf.io.decode_raw", ""), (name, word)


def test_an_image_of_a_name_that_is_not_ascii(tmp_path, capsys):
    root = tmp_path / "données 猫"
    folders.classes(root, (6, 6), ("caf\u00e9", "thé"))
    assert "café 6, thé 6" in output(capsys, "classify", "check", "--data", root).out
