"""A training that is stopped anywhere ends as one that never was, to the last bit."""

import errno
import os
import shutil
import signal
import subprocess
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerascnn import data, layers, models
from kerascnn.data import Augmentation
from kerascnn.losses import dense_loss
from kerascnn.metrics import MeanIoU, psnr
from kerascnn.storage.atomic_write import WriteError
from kerascnn.training import (
    Recipe,
    RunFolder,
    fit,
    fitting,
    last_checkpoint,
    precision_scope,
    resume,
)
from kerascnn.training.callbacks import read_history
from kerascnn.training.errors import (
    BrokenCheckpointWarning,
    DivergedError,
    Interrupted,
    OutOfMemoryError,
)
from tests.nightly import every_night

STEPS = 20
FULL = (errno.ENOSPC, "the disk is full")


class PulledPlugError(BaseException):
    """Stands for the end of a process: nothing catches it."""


@pytest.fixture(autouse=True, scope="module")
def short_calls():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fitting, "_STEPS_PER_EXECUTION", 4)
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory, short_calls):
    """A run that was never stopped."""
    out = tmp_path_factory.mktemp("whole") / "run"
    classify(out)
    return out


@pytest.fixture
def plug(monkeypatch):
    """Lets a training end after so many steps, as often as there are numbers."""
    step, left = resume.Resume.on_train_batch_end, []

    def stepped(self, batch, logs=None):
        step(self, batch, logs)
        if left and self.epoch * self.params["steps"] + self.batches >= left[0]:
            left.pop(0)
            raise PulledPlugError

    monkeypatch.setattr(resume.Resume, "on_train_batch_end", stepped)
    return left


def classifier(dropout=0.0):
    keras.utils.set_random_seed(3)
    return keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Conv2D(4, 3),
            layers.BatchNormalization(),
            keras.layers.Flatten(),
            layers.Dropout(dropout),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(10),
        ]
    )


def digits(recipe):
    found = data.load_classification("digits")
    return {
        split: found.pipeline(split, batch_size=64, augment=recipe.augmentation)
        for split in ("train", "validation")
    }


def classify(out, dropout=0.0, **options):
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=5e-3, **options)
    with precision_scope(recipe.precision):
        model = classifier(dropout)
    return fit(model, digits(recipe), recipe, out, checkpoint_every=3)


def segment(out):
    keras.utils.set_random_seed(3)
    scenes = data.load_segmentation("scenes")
    pipelines = {
        split: scenes.pipeline(split, crop_size=16, batch_size=100, augment=Augmentation(flip=True))
        for split in ("train", "validation")
    }
    model = models.create_model("unet", (None, None, 3), 11, width=2)
    loss, metric = dense_loss("cross_entropy", None, 0.0), MeanIoU(11)
    recipe = Recipe(epochs=2, batch_size=100)
    return fit(model, pipelines, recipe, out, loss=loss, metric=metric, checkpoint_every=3)


def upscale(out):
    keras.utils.set_random_seed(3)
    photos = data.load_upscaling("photos")
    options = {"factor": 3, "channels": 1, "patch_size": 7, "patches": 160}
    pipelines = {split: photos.pipeline(split, **options) for split in ("train", "validation")}
    model, loss = models.create_model("espcn_x3", None), keras.losses.MeanSquaredError()
    recipe = Recipe(epochs=2, batch_size=16)
    return fit(model, pipelines, recipe, out, loss=loss, metric=psnr, checkpoint_every=3)


def without_seconds(rows):
    return [{**row, "seconds": None} for row in rows]


def assert_equal_runs(one, other):
    weights = [RunFolder(out).load_model().get_weights() for out in (one, other)]
    for found, expected in zip(*weights, strict=True):
        np.testing.assert_array_equal(found, expected)
    rows = [without_seconds(read_history(RunFolder(out).history_path)) for out in (one, other)]
    assert rows[0] == rows[1]


EVERYTHING = Augmentation(shift=0.1, rotate=10.0, zoom=0.1, mixup=0.2)
WAYS = {
    "dropout, augmentation and moving average": lambda out: classify(
        out, 0.3, augmentation=EVERYTHING, ema=0.9, warmup_epochs=0.5
    ),
    "frozen epochs": lambda out: classify(out, 0.2, frozen_epochs=1),
    "mixed precision": lambda out: classify(out, precision="mixed_float16"),
    "unet": segment,
    "espcn": upscale,
}


# Every day, tests/data/test_order.py starts pipelines at any batch, those of other tasks, too.
DAILY = ("dropout, augmentation and moving average",)


@pytest.mark.parametrize("way", every_night(WAYS, DAILY))
def test_a_run_that_is_stopped_ends_in_the_same_bits(way, tmp_path, plug):
    train = WAYS[way]
    whole = train(tmp_path / "whole")
    plug[:] = [14 if way in ("unet", "espcn") else STEPS + 6]  # in the second epoch
    with pytest.raises(PulledPlugError):
        train(tmp_path / "run")
    assert without_seconds(train(tmp_path / "run")) == without_seconds(whole)
    assert_equal_runs(tmp_path / "whole", tmp_path / "run")
    assert [path.suffix for path in RunFolder(tmp_path / "run").checkpoints.iterdir()] == [
        ".state",
        ".state",
    ]


@pytest.mark.parametrize("cut", every_night([200, -1], [200]))
def test_a_broken_checkpoint_is_named_and_the_one_before_it_used(cut, whole, tmp_path, plug):
    plug[:] = [STEPS + 12]
    with pytest.raises(PulledPlugError):
        classify(tmp_path / "run")
    _, path = last_checkpoint(RunFolder(tmp_path / "run"))
    content = path.read_bytes()
    path.write_bytes(content[:cut] + (b"X" if cut == -1 else b""))
    with pytest.warns(BrokenCheckpointWarning, match=f"{path.name} cannot be used"):
        classify(tmp_path / "run")
    assert_equal_runs(whole, tmp_path / "run")


@pytest.mark.parametrize(
    "damage", every_night(["epoch,loss\n1,0.", "flour,eggs\n1,2\n"], ["epoch,loss\n1,0."])
)
def test_damaged_files_are_written_again(damage, whole, tmp_path, plug):
    plug[:] = [STEPS + 12]
    with pytest.raises(PulledPlugError):
        classify(tmp_path / "run")
    run = RunFolder(tmp_path / "run")
    run.history_path.write_text(damage)
    run.model_path.write_text("not a model")
    with pytest.warns(BrokenCheckpointWarning) as caught:
        classify(tmp_path / "run")
    text = " ".join(str(warning.message) for warning in caught)
    assert "history.csv is damaged" in text
    assert "model.keras is damaged" in text
    assert_equal_runs(whole, tmp_path / "run")


@pytest.mark.parametrize("number", every_night([signal.SIGINT, signal.SIGTERM], [signal.SIGTERM]))
def test_a_signal_writes_a_checkpoint_and_says_how_to_resume(number, whole, tmp_path, monkeypatch):
    begin = fitting.Record.on_epoch_begin

    def signalled(self, epoch, logs=None):
        begin(self, epoch, logs)
        if epoch == 1:
            os.kill(os.getpid(), number)

    with monkeypatch.context() as patch:
        patch.setattr(fitting.Record, "on_epoch_begin", signalled)
        before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        with pytest.raises(Interrupted, match="the same command resumes") as caught:
            classify(tmp_path / "run")
        assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
    assert caught.value.exit_status == 128 + number
    assert caught.value.path.name == "epoch_0001_batch_000004.state"
    classify(tmp_path / "run")
    assert_equal_runs(whole, tmp_path / "run")


def test_divergence_names_step_rate_and_checkpoint(tmp_path, monkeypatch):
    begin = fitting.Record.on_epoch_begin

    def poisoned(self, epoch, logs=None):
        begin(self, epoch, logs)
        if epoch == 1:
            self.model.layers[-1].bias.assign(np.full(10, np.inf))

    monkeypatch.setattr(fitting.Record, "on_epoch_begin", poisoned)
    with pytest.raises(DivergedError) as caught:
        classify(tmp_path / "run")
    sentence = str(caught.value)
    assert "in epoch 2, step 4, the loss was nan at a learning rate of 0.00" in sentence
    assert "epoch_0001_batch_000000.state" in sentence
    assert "lower learning rate" in sentence
    assert last_checkpoint(RunFolder(tmp_path / "run"))[0] == 1


def test_a_lack_of_memory_is_told(tmp_path, monkeypatch):
    def full(self, batch, logs=None):
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    monkeypatch.setattr(fitting.Record, "on_train_batch_end", full)
    with pytest.raises(OutOfMemoryError, match="smaller batch .`--batch-size`"):
        classify(tmp_path / "run")


def test_a_full_disk_is_not_told_as_a_lack_of_memory(tmp_path, monkeypatch):
    """TensorFlow's writer of events raises the same error for both."""
    sentence = f"{tmp_path}/events/train/x.v2; No space left on device"

    def full(self, epoch, logs=None):
        raise tf.errors.ResourceExhaustedError(None, None, sentence)

    monkeypatch.setattr(keras.callbacks.TensorBoard, "on_epoch_end", full)
    with pytest.raises(WriteError, match="events cannot be written: the disk is full; free some"):
        classify(tmp_path / "run")


def test_a_folder_that_is_removed_ends_the_training_at_the_next_write(tmp_path, monkeypatch):
    begin = fitting.Record.on_epoch_begin

    def removed(self, epoch, logs=None):
        begin(self, epoch, logs)
        if epoch == 1:
            shutil.rmtree(self.run.path)

    monkeypatch.setattr(fitting.Record, "on_epoch_begin", removed)
    with pytest.raises(OSError, match="was removed or moved while in use"):
        classify(tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints").exists()
    monkeypatch.undo()
    classify(tmp_path / "run")  # a new run


@pytest.mark.parametrize(
    ("number", "sentence"),
    every_night([FULL, (errno.EROFS, "the file system is read-only")], [FULL]),
)
def test_a_disk_that_cannot_be_written_leaves_the_last_checkpoint(
    number, sentence, whole, tmp_path, monkeypatch
):
    write, written = Path.write_bytes, []

    def failing(path, content):
        written.append(path)
        if path.suffix == ".state" and len(written) == 4:
            write(path, content[:100])
            raise OSError(number, os.strerror(number), str(path))
        return write(path, content)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_bytes", failing)
        with pytest.raises(OSError, match=f"state cannot be written: {sentence}"):
            classify(tmp_path / "run")
    assert not [path for path in (tmp_path / "run").rglob("*") if ".writing" in path.name]
    classify(tmp_path / "run")
    assert_equal_runs(whole, tmp_path / "run")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 900 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", "size=900k", "tmpfs", str(folder)]
    if subprocess.run(["mount", *options], capture_output=True).returncode:
        pytest.skip("may not mount a small file system")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_file_system(small_disk, tmp_path):
    run = small_disk / "run"
    recipe = Recipe(epochs=2, batch_size=64)
    keras.utils.set_random_seed(3)

    def model():
        keras.utils.set_random_seed(3)
        return keras.Sequential(
            [keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(300, "relu")]
            + [keras.layers.Dense(10)]
        )

    (small_disk / "filler").write_bytes(bytes(300_000))
    with pytest.raises(OSError, match=r"cannot be written: the disk is full"):
        fit(model(), digits(recipe), recipe, run, checkpoint_every=4)
    (small_disk / "filler").unlink()
    shutil.copytree(run, tmp_path / "copy")  # on a disk with room, the run resumes
    fit(model(), digits(recipe), recipe, tmp_path / "copy")
    fit(model(), digits(recipe), recipe, tmp_path / "whole")
    assert_equal_runs(tmp_path / "whole", tmp_path / "copy")


def test_more_epochs_continue_a_run_as_if_it_had_been_begun_with_them(tmp_path):
    def train(out, epochs):
        recipe = Recipe(epochs=epochs, batch_size=64, schedule="constant")
        return fit(classifier(0.2), digits(recipe), recipe, out)

    whole = train(tmp_path / "whole", 3)
    train(tmp_path / "run", 2)
    assert without_seconds(train(tmp_path / "run", 3)) == without_seconds(whole)
    assert_equal_runs(tmp_path / "whole", tmp_path / "run")
    assert RunFolder(tmp_path / "run").recipe()["extended_from"] == [2]
    with pytest.raises(FileExistsError, match="started with another training"):
        train(tmp_path / "run", 2)


@pytest.mark.parametrize(
    "option", every_night([{"stop_at": 0.3}, {"patience": 1}], [{"patience": 1}])
)
def test_an_early_end_stays_the_end(option, tmp_path, monkeypatch):
    recipe = Recipe(epochs=9, batch_size=64, learning_rate=5e-3, **option)
    monkeypatch.setattr(fitting.EarlyEnd, "begin", 0, raising=False)
    if "patience" in option:  # no epoch is better than the first
        monkeypatch.setattr("kerascnn.training.callbacks.best_epoch", lambda rows: rows[0])
    rows = fit(classifier(), digits(recipe), recipe, tmp_path / "run")
    assert len(rows) == (1 if "stop_at" in option else 2)
    assert fit(classifier(), digits(recipe), recipe, tmp_path / "run") == rows
