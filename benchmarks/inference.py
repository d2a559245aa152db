"""Times one call of a model with kerascnn's layers against the same model of Keras's layers.

    python benchmarks/inference.py [--rounds 15] [--only NAME] [--out FILE]

Each way of computing (oneDNN with all instructions of the processor, with those up to AVX2, and
TensorFlow without oneDNN) has a process of its own, as TensorFlow reads the settings once. In it,
three sides run in turn: ours, as `BatchNormalization` chooses its form; ours in the other form; and
Keras's.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

WAYS = {
    "oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "oneDNN, AVX2": {"TF_ENABLE_ONEDNN_OPTS": "1", "ONEDNN_MAX_CPU_ISA": "AVX2"},
    "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
}


@dataclass(frozen=True)
class Case:
    """A model on images of one shape."""

    name: str
    shape: tuple
    options: dict = field(default_factory=dict)


CASES = (
    Case("resnet20", (32, 32, 3)),
    Case("resnet50", (224, 224, 3)),
    Case("mobilenet_v1", (224, 224, 3)),
    Case("mobilenet_v2", (224, 224, 3)),
    Case("unet", (96, 128, 3), {"width": 16}),
)
BATCHES = (1, 8)


def measure(only, rounds):
    """Prints a row of ratios in JSON for each case and batch; runs in a process of its own."""
    import keras
    import numpy as np
    import tensorflow as tf
    from models import of_keras_layers
    from timing import medians, seconds

    from kerascnn.backend import batch_normalization as kernel
    from kerascnn.models import create_model

    def graph_of(model, shape):
        call = tf.function(lambda images: model(images, training=False))
        return call.get_concrete_function(tf.TensorSpec((None, *shape)))

    rule = kernel.is_fused_in_inference
    for case in (case for case in CASES if only in case.name):
        keras.utils.set_random_seed(0)
        model = create_model(case.name, case.shape, 10, **case.options)
        graphs = {"ours": graph_of(model, case.shape)}
        with mock.patch.object(kernel, "is_fused_in_inference", lambda dtype: not rule(dtype)):
            graphs["other"] = graph_of(model, case.shape)
        graphs["keras"] = graph_of(of_keras_layers(model, case.shape), case.shape)
        for batch in BATCHES:
            images = np.random.default_rng(0).random((batch, *case.shape), np.float32)
            images = tf.constant(images)
            sides = {
                name: lambda graph=graph, images=images: seconds(lambda: graph(images).numpy())
                for name, graph in graphs.items()
            }
            found = medians(sides, rounds)
            ratios = {name: found[name] / found["ours"] for name in ("keras", "other")}
            form = "fused" if rule(tf.float32) else "scale and shift"
            row = {"name": case.name, "shape": case.shape, "batch": batch, "form": form, **ratios}
            print(json.dumps(row), flush=True)


def main():
    from timing import arguments, write_page

    options = arguments(__doc__.partition("\n")[0], "model").parse_args()
    lines = []
    for way, settings in WAYS.items():
        command = [sys.executable, __file__, "--measure", options.only, str(options.rounds)]
        process = subprocess.Popen(
            command, env={**os.environ, **settings}, stdout=subprocess.PIPE, text=True
        )
        for line in process.stdout:
            row = json.loads(line)
            shape = "x".join(map(str, (row["batch"], *row["shape"])))
            lines.append(
                f"| {way} | {row['name']} | {shape} | {row['keras']:.2f} "
                f"| {row['other']:.2f} | {row['form']} |"
            )
            print(lines[-1], flush=True)
        if process.wait():
            raise SystemExit(f"The benchmark failed with {way}.")
    if options.out:
        write_page(options.out, PAGE, rounds=options.rounds, rows="\n".join(lines))


PAGE = """# Inference against Keras's layers

How many times as long as ours a call takes with the same model of Keras's own layers, and with our
model when `BatchNormalization` takes the form that its rule did not choose: above 1, ours is
faster. Medians over {rounds} rounds in which all sides ran in turn; weights are variables, and the
batch is of unknown size.

| way | model | images | Keras | other form | our form |
|---|---|---|---|---|---|
{rows}

"AVX2" limits oneDNN to the instructions that many processors have (`ONEDNN_MAX_CPU_ISA=AVX2`).
"Same" padding replaces explicit zeros on Keras's side, as in `models.py`.
"""


if __name__ == "__main__":
    if sys.argv[1:2] == ["--measure"]:
        measure(sys.argv[2], int(sys.argv[3]))
    else:
        main()
