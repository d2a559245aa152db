"""Times kerascnn's layers against what Keras users have otherwise, on TensorFlow.

    python benchmarks/layers.py [--rounds 15] [--out benchmarks/results/layers.md]

Both sides run in this process, in turn, as graphs (`tf.function`). A forward pass is the layer in
training mode; a training step adds the gradients by the input and by all weights.
"""

import argparse
import importlib.metadata
import inspect
import os
import platform
import statistics
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf

import kerascnn


def group_conv(shape, groups):
    arguments = {
        "filters": shape[-1],
        "kernel_size": 3,
        "padding": "same",
        "groups": groups,
        "use_bias": False,
    }
    name = f"GroupConv2D(3x3, groups={groups})"
    return name, kerascnn.layers.GroupConv2D(**arguments), keras.layers.Conv2D(**arguments), shape


def batch_normalization(shape):
    ours, theirs = kerascnn.layers.BatchNormalization(), keras.layers.BatchNormalization()
    return "BatchNormalization", ours, theirs, shape


def dropout(shape, rate):
    ours, theirs = kerascnn.layers.Dropout(rate), keras.layers.Dropout(rate)
    return f"Dropout({rate})", ours, theirs, shape


def pixel_shuffle(shape, block_size):
    def theirs(x):
        return tf.nn.depth_to_space(x, block_size)

    ours = kerascnn.layers.PixelShuffle(block_size)
    return f"PixelShuffle({block_size}), against tf.nn.depth_to_space", ours, theirs, shape


CASES = (
    group_conv((16, 32, 32, 64), groups=8),
    group_conv((16, 32, 32, 64), groups=32),
    group_conv((16, 28, 28, 256), groups=32),
    batch_normalization((32, 32, 32, 64)),
    batch_normalization((128, 8, 8, 64)),
    dropout((32, 32, 32, 64), rate=0.5),
    dropout((32, 32, 32, 64), rate=0.3),
    pixel_shuffle((32, 32, 32, 64), block_size=2),
)


def runners(layer, x):
    """Functions that run the forward pass and the training step; on a CPU, to their end."""
    takes_training = "training" in inspect.signature(getattr(layer, "call", layer)).parameters
    options = {"training": True} if takes_training else {}

    @tf.function
    def forward(x):
        return layer(x, **options)

    forward(x)
    weights = [weight.value for weight in getattr(layer, "trainable_weights", ())]

    @tf.function
    def step(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, **options)
        return tape.gradient(y, [x, *weights])

    return lambda: forward(x), lambda: step(x)


def seconds(function):
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def median_ratio(ours, theirs, rounds):
    """How many times longer `theirs` takes: the medians over rounds in which each ran once."""
    for function in (ours, theirs):
        function()
    times = ([], [])
    for i in range(rounds):
        # Who goes first changes from round to round.
        for side in (0, 1) if i % 2 else (1, 0):
            times[side].append(seconds((ours, theirs)[side]))
    return statistics.median(times[1]) / statistics.median(times[0])


def processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    lines = [
        "| layer | input | forward | training step |",
        "|---|---|---|---|",
    ]
    for name, ours, theirs, shape in CASES:
        x = tf.constant(np.random.default_rng(0).normal(size=shape).astype("float32"))
        ratios = [
            median_ratio(*pair, options.rounds)
            for pair in zip(runners(ours, x), runners(theirs, x), strict=True)
        ]
        size = "x".join(map(str, shape))
        lines.append(f"| {name} | {size} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
        print(lines[-1], flush=True)
    versions = ", ".join(
        f"{package} {importlib.metadata.version(package)}"
        for package in ("tensorflow", "keras", "numpy", "kerascnn")
    )
    page = f"""# Layers against Keras's

How many times longer Keras's layer takes than ours (above 1: ours is faster); medians over
{options.rounds} rounds in which both ran in turn.

{chr(10).join(lines)}

Command: `python benchmarks/layers.py --rounds {options.rounds}`. Machine: {os.cpu_count()} cores of
{processor()}, no GPU; Python {platform.python_version()}, {versions}.
"""
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(page)


if __name__ == "__main__":
    main()
