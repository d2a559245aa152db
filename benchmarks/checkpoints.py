"""Times an epoch with checkpoints against the same epoch without any.

    python benchmarks/checkpoints.py [--rounds 5] [--only MODEL] [--steps 352]
        [--out benchmarks/results/checkpoints.md]

A measurement is a `model.fit` of one epoch as `kerascnn.training.fit` runs it: on random images of
the shape of CIFAR-10, with its augmentation, batches of 128, and as many steps in a call. The sides
have `kerascnn.training.Resume` with a checkpoint after the epoch and every five minutes (the
default), with one every 20 steps, and no checkpoints; they run alternately. Each measurement with
checkpoints begins with reading one. 352 steps are an epoch of 45,000 images.
"""

import os
import statistics
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command `kerascnn` does

import keras
import numpy as np
import tensorflow as tf
from timing import arguments, in_turn, seconds, write_page

from kerascnn.data import Augmentation, ClassificationData
from kerascnn.losses import loss_for
from kerascnn.models import create_model
from kerascnn.training import Recipe, Resume

BATCH = 128
MODELS = ("lenet5", "resnet20", "mobilenet_v2")
SIDES = {"after an epoch": {}, "every 20 steps": {"every": 20}}
PAGE = """# Checkpoints

The time of an epoch with checkpoints over the time of the same epoch without them, as medians of
{rounds} rounds; an epoch has {steps} steps of {batch} images of 32x32 pixels.

| model | MB of a checkpoint | seconds without | after an epoch | every 20 steps |
|---|---|---|---|---|
{rows}
"""


def images(steps):
    """A pipeline of random images and labels, augmented as CIFAR-10 is."""
    rng, count = np.random.default_rng(0), steps * BATCH
    arrays = (rng.integers(0, 256, (count, 32, 32, 3), np.uint8), rng.integers(0, 10, count))
    data = ClassificationData(
        name="random",
        class_names=tuple(map(str, range(10))),
        stored_shape=(32, 32, 3),
        num_examples={"train": count},
        elements={"train": tf.data.Dataset.from_tensor_slices(arrays)},
        decode=lambda image, label: (image, label),
    )
    augment = Augmentation(flip=True, crop=0.125)
    return data.pipeline("train", batch_size=BATCH, augment=augment)


def side(name, pipeline, steps, options):
    """A function that trains an epoch, and the folder of its checkpoints."""
    keras.utils.set_random_seed(0)
    model = create_model(name, (32, 32, 3), 10)
    model.compile(
        Recipe(epochs=1, optimizer="sgd", learning_rate=0.01).make_optimizer(10**6),
        loss_for(model, 0.0),
        steps_per_execution=20,
        jit_compile=False,
    )
    folder = tempfile.mkdtemp()
    epochs = iter(range(10**6))

    def epoch():
        number = next(epochs)
        callbacks = [] if options is None else [Resume(folder, **options)]
        return seconds(
            lambda: model.fit(
                pipeline,
                initial_epoch=number,
                epochs=number + 1,
                callbacks=callbacks,
                shuffle=False,
                verbose=0,
            )
        )

    return epoch, folder


def row(name, rounds, steps):
    pipeline = images(steps)
    sides, folders = {}, {}
    for title, options in {"without": None, **SIDES}.items():
        sides[title], folders[title] = side(name, pipeline, steps, options)
    times = {title: statistics.median(found) for title, found in in_turn(sides, rounds).items()}
    folder = folders["after an epoch"]
    size = max(entry.stat().st_size for entry in os.scandir(folder))
    ratios = [f"{times[title] / times['without']:.3f}" for title in SIDES]
    cells = [f"`{name}`", f"{size / 1e6:.1f}", f"{times['without']:.1f}", *ratios]
    return f"| {' | '.join(cells)} |"


def main():
    parser = arguments(__doc__, "model")
    parser.set_defaults(rounds=5)
    parser.add_argument("--steps", type=int, default=352)
    asked = parser.parse_args()
    rows = []
    for name in MODELS:
        if asked.only in name:
            rows.append(row(name, asked.rounds, asked.steps))
            print(rows[-1], flush=True)
    if asked.out:
        places = {"rounds": asked.rounds, "steps": asked.steps, "batch": BATCH}
        write_page(asked.out, PAGE, rows="\n".join(rows), **places)


if __name__ == "__main__":
    main()
