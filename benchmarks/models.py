"""Times a step of `model.fit` with kerascnn's models against Keras's layers and PyTorch on the CPU.

    python benchmarks/models.py [--rounds 15] [--only NAME] [--out benchmarks/results/models.md]
    python benchmarks/models.py --profile NAME      # what the time of one step goes into

A measurement is an epoch of a fixed number of steps, divided by that number: ours from a pipeline
of `kerascnn.data`, with as many steps in a call as in `kerascnn.training.fit`; Keras's the same
network of Keras's own layers, with NumPy arrays and Keras's defaults; PyTorch's a plain loop
(eager, channels_last) in a process of its own. All keep the mean loss and the accuracy, and run
alternately. In the rows named `accelerate(...)`, Keras's side is a finished model of Keras's
layers and ours its `kerascnn.models.accelerate`, both trained in Keras's way.
"""

import os
import re
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command `kerascnn` does

import keras
import numpy as np
import tensorflow as tf
from keras_layers import check_same_outputs, of_keras_layers, rebuilt, trainable
from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace
from timing import arguments, in_turn, seconds, write_page
from worker import Worker

from kerascnn.data import ClassificationData, SegmentationData
from kerascnn.models import accelerate, create_model


@dataclass(frozen=True)
class Case:
    """A model on images of one shape.

    Args:
        name: str, the model's.
        shape: tuple, the shape of an image.
        batch: int, images in a step.
        steps: int, in one measurement.
        keras_steps: optional int, the same for Keras's side.
        keras_rounds: optional int, after which Keras's side is left out.
        options: dict, further arguments of the model.
        masks: bool, whether every pixel has a label.
        build: optional function of the case that builds a model of Keras's layers, whose
            `accelerate` is our side then; there is no PyTorch's.
        title: str, of its row; by default the model's name.
        note: str, what to know of its row.
    """

    name: str
    shape: tuple
    batch: int
    steps: int
    keras_steps: int | None = None
    keras_rounds: int | None = None
    options: dict = field(default_factory=dict)
    masks: bool = False
    build: Callable | None = None
    title: str = ""
    note: str = ""

    def __post_init__(self):
        object.__setattr__(self, "title", self.title or self.name)


def application(case):
    """A network of `keras.applications`."""
    build = getattr(keras.applications, case.name)
    return build(weights=None, input_shape=case.shape, classes=CLASSES, classifier_activation=None)


CASES = (
    Case(
        "lenet5",
        (28, 28, 1),
        128,
        100,
        note="`lenet5` comes down to the same operations on both sides: its ratio to Keras is due "
        "to the feeding alone.",
    ),
    Case("resnet20", (32, 32, 3), 128, 8),
    Case(
        "resnext29_8x64d",
        (32, 32, 3),
        4,
        2,
        keras_steps=1,
        keras_rounds=2,
        note="`resnext29_8x64d` takes Keras long: two rounds of one step.",
    ),
    Case("mobilenet_v1", (32, 32, 3), 64, 3, options={"stem_strides": 1}),
    Case("unet", (96, 128, 3), 8, 8, options={"width": 16}, masks=True, title="unet-16"),
    Case("unet", (96, 128, 3), 8, 4, options={"width": 32}, masks=True, title="unet-32"),
    *(
        Case(name, (96, 96, 3), 16, 2, build=application, title=f"accelerate({name})")
        for name in ("ResNet50", "MobileNetV2", "DenseNet121")
    ),
    Case(
        "resnext29_8x64d",
        (32, 32, 3),
        4,
        2,
        keras_steps=1,
        keras_rounds=2,
        build=lambda case: rebuilt(made(case), of_keras=True),
        title="accelerate(resnext29_8x64d)",
    ),
)
CLASSES = 10
SGD = {"learning_rate": 0.001, "momentum": 0.9}
STEPS_PER_EXECUTION = 20  # as in `kerascnn.training.fit`
NODE = re.compile(r"[^:]:(\w+)$")  # how the profiler names an operation: its path and its type
SHOWN = 16  # types of operation in a profile


def compiled(model, **options):
    model.compile(
        optimizer=keras.optimizers.SGD(**SGD),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
        **options,
    )
    assert not model.jit_compile  # Keras's own choice where there is no GPU
    return model


def examples(case, steps):
    """Images as they are stored, and labels."""
    rng = np.random.default_rng(0)
    count = case.batch * steps
    images = rng.integers(0, 256, (count, *case.shape), np.uint8)
    if case.masks:
        return images, rng.integers(0, CLASSES, images.shape[:3], np.uint8)
    return images, rng.integers(0, CLASSES, count)


def our_fit(model, case):
    """A function that trains for an epoch."""
    images, labels = examples(case, case.steps)
    data = (SegmentationData if case.masks else ClassificationData)(
        name="noise",
        class_names=tuple("0123456789"),
        stored_shape=case.shape,
        elements={"train": tf.data.Dataset.from_tensor_slices((images, labels))},
        decode=lambda image, label: (image, label),
        num_examples={"train": len(images)},
        **({"ignored": ()} if case.masks else {}),
    )
    batches = data.pipeline("train", batch_size=case.batch)
    compiled(model, steps_per_execution=min(STEPS_PER_EXECUTION, case.steps))
    return lambda: model.fit(batches, shuffle=False, verbose=0)


def keras_fit(model, case, steps):
    """The same in Keras's plain form."""
    images, labels = examples(case, steps)
    images = images.astype("float32") / 255
    compiled(model)
    return lambda: model.fit(images, labels, batch_size=case.batch, verbose=0)


def asked(torch, what, case, parameters):
    """PyTorch's side."""
    return torch.ask(
        what,
        name=case.name,
        shape=case.shape,
        batch=case.batch,
        steps=case.steps,
        parameters=parameters,
        options=case.options,
        masks=case.masks,
        **SGD,
    )


def made(case):
    return create_model(case.name, input_shape=case.shape, num_classes=CLASSES, **case.options)


def both_fits(case):
    """Two functions that train for an epoch: Keras's side and ours."""
    keras_steps = case.keras_steps or case.steps
    if case.build:
        model = case.build(case)
        accelerated = accelerate(model)
        check_same_outputs(model, accelerated, case.shape)
        return keras_fit(model, case, keras_steps), keras_fit(accelerated, case, case.steps)
    model = made(case)
    theirs = of_keras_layers(model, case.shape)
    return keras_fit(theirs, case, keras_steps), our_fit(model, case)


def measured(case, torch, rounds):
    """Seconds of a step for every side, round by round."""
    theirs, ours = both_fits(case)
    sides = {
        "ours": lambda: seconds(ours) / case.steps,
        "Keras": lambda: seconds(theirs) / (case.keras_steps or case.steps),
    }
    if not case.build:
        parameters = trainable(made(case))
        sides["PyTorch"] = lambda: asked(torch, "fit", case, parameters)
    fewer = {"Keras": case.keras_rounds} if case.keras_rounds else {}
    return in_turn(sides, rounds, fewer)


def row(case, times):
    shape = "x".join(map(str, (case.batch, *case.shape)))
    cells = []
    for other in ("Keras", "PyTorch"):
        if other not in times:
            cells += ["-", "-"]
            continue
        # A side that stops early is compared with the rounds that it took part in.
        ours = times["ours"][: len(times[other])]
        ratio = np.median(times[other]) / np.median(ours)
        low, high = np.quantile(np.divide(times[other], ours), (0.25, 0.75))
        cells += [f"{ratio:.2f}", f"{low:.2f} to {high:.2f}"]
    return f"| {case.title} | {shape} | {' | '.join(cells)} |"


def operations(fit, steps):
    """Milliseconds and calls per step by type of TensorFlow operation, and the time of a step."""
    fit()
    with tempfile.TemporaryDirectory() as folder:
        with tf.profiler.experimental.Profile(folder):
            took = seconds(fit)
        (path,) = Path(folder).rglob("*.xplane.pb")
        space = XSpace.FromString(path.read_bytes())
    milliseconds, calls = Counter(), Counter()
    for plane in space.planes:
        for line in plane.lines:
            for event in line.events:
                found = NODE.search(plane.event_metadata[event.metadata_id].name)
                if found:
                    milliseconds[found[1]] += event.duration_ps / 1e9 / steps
                    calls[found[1]] += 1 / steps
    return {
        "step": 1e3 * took / steps,
        "rows": [(kind, time, calls[kind]) for kind, time in milliseconds.items()],
    }


def profiled(case, torch):
    """A table for each side of what a step consists of; a side that is slow is left out."""
    theirs, ours = both_fits(case)
    sides = {}
    if not case.keras_rounds:
        sides["Keras"] = operations(theirs, case.steps)
    sides["kerascnn"] = operations(ours, case.steps)
    if not case.build:
        sides["PyTorch"] = asked(torch, "operations", case, trainable(made(case)))
    whole = sum(time for _, time, _ in sides["kerascnn"]["rows"])
    return "\n\n".join(table(side, whole, **found) for side, found in sides.items())


def table(side, whole, step, rows):
    """The longest operations, in terms of `whole`."""
    total = sum(time for _, time, _ in rows)
    rows = sorted(rows, key=lambda row: row[1], reverse=True)
    rest = sum(time for _, time, _ in rows[SHOWN:])
    lines = [f"| {kind} | {time / whole:.1%} | {calls:.0f} |" for kind, time, calls in rows[:SHOWN]]
    return TABLE.format(
        side=side,
        busy=total / step,
        rows="\n".join(lines),
        rest=rest / whole,
        total=total / whole,
    )


def named(text):
    """The cases with a text in their names."""
    return [case for case in CASES if text in case.title]


def main():
    parser = arguments(__doc__.partition("\n")[0], "model")
    titles = [case.title for case in CASES]
    parser.add_argument("--profile", choices=titles, help="show what a step consists of instead")
    options = parser.parse_args()
    torch = Worker("torch_models.py")
    if options.profile:
        (case,) = named(options.profile)
        page, lines = PROFILE, [profiled(case, torch)]
        print(lines[0])
    else:
        page, lines = PAGE, []
        for case in named(options.only):
            lines.append(row(case, measured(case, torch, options.rounds)))
            print(lines[-1], flush=True)
    if options.out:
        notes = "".join(f"\n{case.note}" for case in named(options.only) if case.note)
        places = {"name": options.profile, "rounds": options.rounds, "notes": notes}
        write_page(options.out, page, rows="\n".join(lines), **places)


PAGE = """# Steps of `model.fit` against Keras's layers and PyTorch

How many times longer a training step takes with the same network of Keras's own layers and in
PyTorch than with ours: above 1, ours is faster. Medians over {rounds} rounds in which all sides ran
alternately; next to them, between what two values the ratio lies in the middle half of the rounds.

| model | batch | Keras | middle half | PyTorch | middle half |
|---|---|---|---|---|---|
{rows}

Ours is `create_model` on a pipeline of `kerascnn.data`, with up to 20 steps in a call as in
`kerascnn.training.fit`. Keras's side is what its user writes: NumPy arrays and the defaults of
`compile` and `fit`, with which Keras does without XLA where there is no GPU. PyTorch's is a loop
over shuffled tensors, eager and channels_last. All train with SGD and momentum on images of noise
and keep the mean loss and the accuracy. "Same" padding stands for explicit zeros on Keras's side;
otherwise its answers are checked to be ours. `accelerate(...)` compares a finished model of Keras's
layers, from `keras.applications` where that has it, with what `kerascnn.models.accelerate` makes of
it; both sides are trained in Keras's way.{notes}
"""

TABLE = """**{side}** (on average {busy:.1f} operations at a time)

| operation | time | calls in a step |
|---|---|---|
{rows}
| *all others* | {rest:.1%} | |
| *together* | {total:.1%} | |"""

PROFILE = """# What a step of {name} consists of

Time by type of operation, from one epoch under the profilers of TensorFlow and PyTorch; 100% is
what all operations of kerascnn's side take together. (Small operations are slowed down by being
watched.)

{rows}
"""


if __name__ == "__main__":
    main()
