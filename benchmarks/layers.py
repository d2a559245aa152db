"""Times kerascnn's layers against Keras's and PyTorch's on the CPU.

    python benchmarks/layers.py [--rounds 15] [--only NAME] [--out benchmarks/results/layers.md]

A measurement is one call of a `tf.function` in which a layer works on several batches, one after
the other, so that the cost of the call itself, which `model.fit` pays once for a whole model, is
shared. A forward pass is the layer in training mode; a training step adds the gradients by the
input and by all weights, for a gradient that is given, as it is inside a model. Inference is the
layer outside of training, on batches of one image. All sides run alternately; PyTorch (eager,
channels_last) in a process of its own, idle while the others run.
"""

import inspect
import math
import os
from dataclasses import dataclass, field

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from timing import arguments, medians, seconds, write_page
from worker import Worker

from kerascnn import layers


@dataclass(frozen=True)
class Case:
    """A layer on one shape, and what its user would otherwise take.

    Args:
        layer: str, its name.
        shape: tuple, the shape of the input.
        arguments: dict, its arguments, which PyTorch's side understands too.
        theirs: optional function without arguments that makes Keras's or TensorFlow's side.
        options: dict, further arguments of ours and Keras's.
        repeats: int, batches in one call.
        keras_repeats: int, the same for Keras's side.
        group: str, under which rows are averaged.
    """

    layer: str
    shape: tuple
    arguments: dict
    theirs: object = None
    options: dict = field(default_factory=dict)
    repeats: int = 4
    keras_repeats: int = 4
    group: str = ""


def like_keras(
    layer, shape, keras_layer=None, keras_repeats=4, group="", options=None, **arguments
):
    """A case whose other side is the layer of Keras with the same arguments."""
    options = {} if options is None else options
    cls = getattr(keras.layers, keras_layer or layer)
    return Case(
        layer,
        shape,
        arguments,
        lambda: cls(**arguments, **options),
        options,
        keras_repeats=keras_repeats,
        group=group,
    )


SAME = {"padding": "same"}


def group_conv(shape, groups, filters=None, strides=1, **kwargs):
    return like_keras(
        "GroupConv2D",
        shape,
        "Conv2D",
        filters=filters or shape[-1],
        kernel_size=3,
        strides=strides,
        groups=groups,
        use_bias=False,
        options=SAME,
        **kwargs,
    )


# The grouped 3x3 convolutions of ResNeXt-50 32x4d, images of 224 pixels: size, channels, strides.
RESNEXT_50 = (
    (56, 128, 1),
    (56, 256, 2),
    (28, 256, 1),
    (28, 512, 2),
    (14, 512, 1),
    (14, 1024, 2),
    (7, 1024, 1),
)

CASES = (
    # Keras takes seconds for one batch of these.
    group_conv((16, 32, 32, 64), 8, keras_repeats=1),
    group_conv((16, 32, 32, 64), 32, keras_repeats=1),
    *(
        group_conv(
            (8, size, size, channels), 32, strides=strides, keras_repeats=1, group="ResNeXt-50"
        )
        for size, channels, strides in RESNEXT_50
    ),
    group_conv((16, 32, 32, 64), 1),
    like_keras("DepthwiseConv2D", (16, 56, 56, 64), kernel_size=3, options=SAME),
    like_keras("DepthwiseConv2D", (16, 14, 14, 512), kernel_size=3, options=SAME),
    like_keras("DepthwiseConv2D", (16, 56, 56, 128), kernel_size=3, strides=2, options=SAME),
    like_keras("DepthwiseConv2D", (16, 28, 28, 96), kernel_size=7, options=SAME),
    like_keras("PointwiseConv2D", (16, 28, 28, 128), "Conv2D", filters=256, kernel_size=1),
    like_keras("SeparableConv2D", (16, 28, 28, 128), filters=128, kernel_size=3, options=SAME),
    like_keras(
        "Conv2DTranspose", (8, 28, 28, 128), filters=64, kernel_size=2, strides=2, options=SAME
    ),
    like_keras(
        "Conv2DTranspose", (8, 28, 28, 128), filters=64, kernel_size=4, strides=2, options=SAME
    ),
    Case(
        "Conv2DTranspose",
        (8, 28, 28, 128),
        {"filters": 64, "kernel_size": 4, "strides": 2, "groups": 8},
        options=SAME,
    ),
    *(
        like_keras("BatchNormalization", shape, group="BatchNormalization")
        for shape in (
            (32, 32, 32, 64),
            (128, 32, 32, 16),
            (16, 56, 56, 64),
            (16, 14, 14, 256),
            (128, 8, 8, 64),
        )
    ),
    like_keras("Dropout", (32, 32, 32, 64), rate=0.5),
    like_keras("Dropout", (32, 32, 32, 64), rate=0.3),
    Case(
        "PixelShuffle",
        (32, 32, 32, 64),
        {"block_size": 2},
        lambda: lambda x: tf.nn.depth_to_space(x, 2),
    ),
    Case(
        "PixelUnshuffle",
        (32, 64, 64, 16),
        {"block_size": 2},
        lambda: lambda x: tf.nn.space_to_depth(x, 2),
    ),
    Case("SubpixelConv2D", (8, 48, 48, 64), {"filters": 16, "kernel_size": 3, "block_size": 2}),
    Case("ChannelShuffle", (32, 28, 28, 128), {"groups": 4}),
    Case(
        "LocalResponseNormalization",
        (16, 27, 27, 96),
        {},
        lambda: lambda x: tf.nn.local_response_normalization(x, 2, 2.0, 1e-4, 0.75),
    ),
    Case(
        "MaxPoolWithArgmax2D",
        (16, 56, 56, 64),
        {},
        lambda: lambda x: tf.nn.max_pool_with_argmax(x, 2, 2, "VALID"),
    ),
    Case("MaxUnpool2D", (16, 56, 56, 64), {}),
    Case("BlurPool2D", (16, 56, 56, 64), {}),
    Case("FixedFilter2D", (16, 56, 56, 64), {"filter": "gaussian_blur_5x5"}),
    Case(
        "StochasticDepth",
        (32, 32, 32, 64),
        {"rate": 0.2},
        lambda: keras.layers.Dropout(0.2, noise_shape=(None, 1, 1, 1)),
    ),
    Case("SqueezeExcite", (16, 28, 28, 256), {"reduction": 16}, lambda: GatedByKeras(256, 16)),
    Case("Maxout", (32, 28, 28, 128), {"units": 64}),
    Case("Subsampling2D", (128, 28, 28, 6), {}, lambda: keras.layers.AveragePooling2D(2)),
    Case("ScaledTanh", (128, 28, 28, 6), {}),
    Case("RBFOutput", (128, 1, 1, 84), {"units": 10}),
)


class GatedByKeras(keras.layers.Layer):
    """Squeeze and excitation of Keras's layers."""

    def __init__(self, channels, reduction):
        super().__init__()
        self.pool = keras.layers.GlobalAveragePooling2D(keepdims=True)
        self.squeeze = keras.layers.Dense(channels // reduction, activation="relu")
        self.excite = keras.layers.Dense(channels, activation="sigmoid")

    def call(self, x):
        return x * self.excite(self.squeeze(self.pool(x)))


def made(case):
    """Our side of a case."""
    if case.layer == "MaxUnpool2D":
        pool, unpool = layers.MaxPoolWithArgmax2D(2), layers.MaxUnpool2D(2)
        return lambda x: unpool(pool(x))
    return getattr(layers, case.layer)(**case.arguments, **case.options)


def runners(layer, images):
    """Functions for the forward pass and the training step on every batch, one after the other."""
    takes_training = "training" in inspect.signature(getattr(layer, "call", layer)).parameters
    options, at_inference = ({"training": mode} if takes_training else {} for mode in (True, False))
    first = layer(images[0], **options)
    weights = [weight.value for weight in getattr(layer, "trainable_weights", ())]
    rng = np.random.default_rng(1)
    gradients = [
        tf.constant(rng.normal(size=tf.nest.flatten(first)[0].shape).astype("float32"))
        for _ in images
    ]

    def first_numbers(tensors):
        """Of each tensor, one number: it must be computed whole, and need not be kept."""
        return [tf.reshape(tensor, [-1])[:1] for tensor in tensors]

    def one_by_one(images, options):
        results, done = [], []
        for image in images:
            with tf.control_dependencies(done):
                done = first_numbers(tf.nest.flatten(layer(image, **options)))
            results += done
        return results  # what is not returned, TensorFlow does not compute

    forward = tf.function(lambda images: one_by_one(images, options))
    inference = tf.function(lambda images: one_by_one(images, at_inference))
    single = [image[:1] for image in images]

    @tf.function
    def step(images):
        results, done = [], []
        for image, gradient in zip(images, gradients, strict=True):
            with tf.control_dependencies(done):
                with tf.GradientTape() as tape:
                    tape.watch(image)
                    outputs = tf.nest.flatten(layer(image, **options))
                with tf.control_dependencies(outputs):  # as in a model, backward comes after
                    found = tape.gradient(outputs[0], [image, *weights], gradient)
                done = first_numbers([*outputs, *found])
            results += done
        return results

    return {
        "forward": lambda: forward(images),
        "step": lambda: step(images),
        "inference": lambda: inference(single),
    }


def asked(torch, case, what):
    """Seconds of PyTorch's side."""
    implied = {"kernel_size"} if case.layer == "PointwiseConv2D" else set()
    return torch.ask(
        what,
        layer=case.layer,
        arguments={name: case.arguments[name] for name in case.arguments if name not in implied},
        shape=case.shape,
        repeats=case.repeats,
    )


def measured(case, torch, rounds):
    """For each kind of call: how many times longer Keras and PyTorch take."""
    rng = np.random.default_rng(0)
    images = [
        tf.constant(rng.normal(size=case.shape).astype("float32")) for _ in range(case.repeats)
    ]
    ours = runners(made(case), images)
    theirs = runners(case.theirs(), images[: case.keras_repeats]) if case.theirs else None
    ratios = {}
    for what in ("forward", "step", "inference"):
        sides = {"ours": lambda what=what: seconds(ours[what])}
        if what != "inference":
            sides["PyTorch"] = lambda what=what: asked(torch, case, what)
        if theirs:
            sides["Keras"] = lambda what=what: seconds(theirs[what])
        found = medians(sides, rounds)
        if theirs:
            found["Keras"] *= case.repeats / case.keras_repeats
        for other in ("Keras", "PyTorch"):
            ratios[other, what] = found[other] / found["ours"] if other in found else None
    return ratios


COLUMNS = (
    ("Keras", "forward"),
    ("Keras", "step"),
    ("Keras", "inference"),
    ("PyTorch", "forward"),
    ("PyTorch", "step"),
)


def row(name, size, ratios):
    cells = [f"{ratios[key]:.2f}" if ratios[key] else "-" for key in COLUMNS]
    return f"| {name} | {size} | {' | '.join(cells)} |"


def geometric_mean(rows):
    return {
        key: math.exp(sum(math.log(ratios[key]) for ratios in rows) / len(rows)) for key in COLUMNS
    }


def described(case):
    shown = ", ".join(
        f"{name}={value}"
        for name, value in case.arguments.items()
        if (name, value) not in (("strides", 1), ("groups", 1), ("use_bias", False))
    )
    return f"{case.layer}({shown})"


def main():
    options = arguments(__doc__.partition("\n")[0], "layer").parse_args()
    torch, lines, groups = Worker("torch_layers.py"), [], {}
    cases = [case for case in CASES if options.only in case.layer]
    for i, case in enumerate(cases):
        ratios = measured(case, torch, options.rounds)
        lines.append(row(described(case), "x".join(map(str, case.shape)), ratios))
        print(lines[-1], flush=True)
        groups.setdefault(case.group, []).append(ratios)
        last = i + 1 == len(cases) or cases[i + 1].group != case.group
        if case.group and last:
            mean = geometric_mean(groups[case.group])
            lines.append(row(f"*{case.group}, geometric mean*", "", mean))
            print(lines[-1], flush=True)
    if options.out:
        write_page(options.out, PAGE, rounds=options.rounds, rows="\n".join(lines))


PAGE = """# Layers against Keras's and PyTorch's

How many times longer Keras's layer (or TensorFlow's op, where Keras has no layer) and PyTorch's
take than ours: above 1, ours is faster. Medians over {rounds} rounds in which all sides ran
alternately. "Forward" and "step" are in training mode; "one image" is inference of a
single image.

| layer | input | Keras, forward | step | one image | PyTorch, forward | step |
|---|---|---|---|---|---|---|
{rows}

`DepthwiseConv2D`, `PointwiseConv2D`, `SeparableConv2D`, `GroupConv2D` with one group and
`Conv2DTranspose` without groups come down to the same TensorFlow op as Keras's: how far their
ratios are from 1 shows the noise of the machine. `Subsampling2D` has weights that average pooling,
on the other side, has not. `DropBlock2D` has no counterpart in either library.
"""


if __name__ == "__main__":
    main()
