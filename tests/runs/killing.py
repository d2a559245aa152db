"""Trainings that are killed at a random moment and started again by the same command.

    python -m tests.runs.killing CASE KILLS FOLDER [SEED]

trains a case without a stop, then KILLS times with a SIGKILL at a random moment and again to the
end, and prints for each whether weights, history and metrics are those of the first. A moment is
one of the training's events: a step, the writing of half a file, a flush to disk, a renaming. Each
training is a process of its own, forked when everything is imported and nothing has run.
"""

import csv
import json
import os
import random
import shutil
import signal
import sys
import traceback
from pathlib import Path

import numpy as np

from kerascnn import models, runs, tasks
from kerascnn.data import digits, scenes
from kerascnn.models.alexnet import SINGLE_COLUMN_VARIANTS, AlexNetConfig
from kerascnn.storage import run_folder
from kerascnn.training import RunFolder, fitting, resume

FEW = {"train": 100, "validation": 20, "test": 20}


def request(**changes):
    return {"changes": {"epochs": 2, "batch_size": 16, **changes}}


CASES = {
    "lenet5_augmented": ("classification", {"recipe": "small", **request()}),
    "alexnet_dropout": (
        "classification",
        {"model": "alexnet_single_column", "image_size": 67, "recipe": "small", **request()},
    ),
    "moving_average": ("classification", {"recipe": "standard", **request(ema=0.9)}),
    "fine_tuning": ("classification", {"recipe": "finetune", **request(frozen_epochs=1)}),
    "unet_scenes": ("segmentation", {"options": {"width": 4}, **request()}),
    "espcn": ("upscaling", {"recipe": "quick", **request(patches=100, patch_size=9)}),
}


def make_small():
    """Makes data and models small, and one call of a step short."""
    parts = digits.digit_parts()
    digits.digit_parts = lambda: {
        split: (places[: FEW[split]], labels[: FEW[split]])
        for split, (places, labels) in parts.items()
    }
    scenes._COUNTS.update(FEW)
    small = AlexNetConfig(filters=(8, 16, 24, 16, 16), zeros=(2, 2), units=(32, 32))
    SINGLE_COLUMN_VARIANTS["alexnet_single_column"] = small
    fitting._STEPS_PER_EXECUTION = 2
    # Plots are drawn after all that is compared, and take longer than it.
    run_folder.RunFolder.save_figure = lambda self, name, figure: self.plots / f"{name}.png"


class Events:
    """Counts the events of a training, and ends the process at one of them."""

    def __init__(self, last=None):
        self.count, self.last = 0, last

    def happen(self, first=lambda: None):
        self.count += 1
        if self.count == self.last:
            first()
            os.kill(os.getpid(), signal.SIGKILL)

    def watch(self):
        write, replace, fsync = Path.write_bytes, os.replace, os.fsync
        step = resume.Resume.on_train_batch_end

        def half(path, content):
            self.happen(lambda: write(path, content[: len(content) // 2]))
            return write(path, content)

        def counted(function):
            def called(*arguments):
                self.happen()
                return function(*arguments)

            return called

        Path.write_bytes = half
        os.replace, os.fsync = counted(replace), counted(fsync)

        def stepped(callback, batch, logs=None):
            self.happen()
            step(callback, batch, logs)

        resume.Resume.on_train_batch_end = stepped


def train(case, out, last=None):
    """Trains in a process of its own; returns how it ended and how many events it had."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            events = Events(last)
            events.watch()
            task, options = CASES[case]
            if case == "fine_tuning":
                options = {**options, "weights": str(out.parent / "weights")}
            runs.train(
                tasks.get_task(task),
                tasks.Request(**options),
                out,
                command="the same",
                say=lambda line: None,
                checkpoint_every=random.Random(last).choice((2, 4, "1s")),
            )
            os.write(writing, str(events.count).encode())
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writing)
    with open(reading) as pipe:
        count = pipe.read()
    return os.waitpid(child, 0)[1], int(count or 0)


def result(out):
    """What must be equal: weights, history but for seconds, and metrics."""
    with open(out / "history.csv", newline="") as file:
        rows = [{**row, "seconds": None} for row in csv.DictReader(file)]
    metrics = json.loads((out / "metrics.json").read_text())
    metrics.pop("training_seconds")
    return RunFolder(out).load_model().get_weights(), rows, metrics


def results(out):
    """The result, loaded in a process of its own; the arrays as files."""
    child = os.fork()
    if not child:
        weights, rows, metrics = result(out)
        np.savez(out.with_suffix(".npz"), *weights)
        out.with_suffix(".json").write_text(json.dumps([rows, metrics]))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    with np.load(out.with_suffix(".npz")) as found:
        weights = [found[name] for name in found.files]
    return weights, json.loads(out.with_suffix(".json").read_text())


def main(case, kills, folder, seed=0):
    make_small()
    folder, draw = Path(folder), random.Random(f"{case} {seed}")
    if case == "fine_tuning" and not (folder / "weights").exists():
        CASES["weights"] = ("classification", {"recipe": "small", **request(epochs=1)})
        assert train("weights", folder / "weights")[0] == 0
    status, events = train(case, folder / "whole")
    assert status == 0
    weights, numbers = results(folder / "whole")
    equal = 0
    for number in range(int(kills)):
        out, killed = folder / f"killed{number}", False
        while not killed:  # a run with fewer checkpoints ends before a late moment
            shutil.rmtree(out, ignore_errors=True)
            last = draw.randint(1, events)
            status, _ = train(case, out, last)
            killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
            assert killed or not status
        status, _ = train(case, out)
        found, others = results(out) if not status else ([], None)
        same = (
            others == numbers
            and bool(found)
            and all(np.array_equal(a, b) for a, b in zip(found, weights, strict=True))
        )
        equal += same
        print(f"{case}: killed at event {last} of {events}: {'equal' if same else 'DIFFERENT'}")
        sys.stdout.flush()
    print(f"{case}: {equal} of {kills}")
    return 0 if equal == int(kills) else 1


if __name__ == "__main__":
    assert models.list_models()
    sys.exit(main(*sys.argv[1:]))
