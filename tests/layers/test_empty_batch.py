"""A batch without images, as the last one of an epoch may be for a replica."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from tests import fresh_process
from tests.layers.every_layer import EVERY_LAYER
from tests.nightly import every_night

ROOT = Path(__file__).resolve().parents[2]
on_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="oneDNN and replicas are TensorFlow's"
)


def run(onednn, *arguments):
    if onednn == os.environ["TF_ENABLE_ONEDNN_OPTS"]:
        program = "import sys; from tests.layers import empty_batches as e; e.main(*sys.argv[1:])"
        result = fresh_process.run(program, *arguments)
    else:
        command = [sys.executable, "-m", "tests.layers.empty_batches", *arguments]
        environment = {**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn}
        result = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
    assert result.returncode == 0, result.stderr[-3000:]


# JAX compiles each operation of each shape; it has no kernels to which an empty batch is special.
ON_JAX = ["PixelShuffle", "PixelUnshuffle"]


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize(
    "name", every_night(EVERY_LAYER, ON_JAX if keras.backend.backend() == "jax" else EVERY_LAYER)
)
def test_the_output_has_the_declared_shape(name, training):
    inputs = keras.Input((8, 6, 16))
    model = keras.Model(inputs, EVERY_LAYER[name](inputs))
    y = model(np.zeros((0, 8, 6, 16), "float32"), training=training)
    assert tuple(y.shape) == (0, *model.output_shape[1:])


# By day, the kernels that the command uses; the others each night
@on_tensorflow
@pytest.mark.parametrize(
    ("onednn", "data_format"),
    [
        ("1", "channels_last"),
        pytest.param("0", "channels_first", marks=pytest.mark.nightly),
        pytest.param("0", "channels_last", marks=pytest.mark.nightly),
        pytest.param("1", "channels_first", marks=pytest.mark.nightly),
    ],
)
def test_shapes_and_gradients_of_every_layer(onednn, data_format):
    run(onednn, "eager", data_format)


@on_tensorflow
@pytest.mark.nightly
@pytest.mark.parametrize("onednn", ["0", "1"])
def test_a_replica_without_images(onednn):
    run(onednn, "replica")
