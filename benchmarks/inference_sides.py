"""One side of `inference.py`, in a process of its own.

Prints the seconds of one call, with images of noise.
"""

import os
import runpy
import sys
from pathlib import Path
from unittest import mock

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from inference_networks import (
    application_model,
    keras_model,
    network_named,
    our_model,
    torch_model,
    write_file,
)
from timing import seconds
from worker import serve

RUNTIMES = Path(__file__).parents[1] / "kerascnn" / "export" / "runtimes"


def in_graph(model, network):
    """A call of a model in a `tf.function`, with variables and a batch of unknown size."""
    import tensorflow as tf

    call = tf.function(lambda images: model(images, training=False))
    concrete = call.get_concrete_function(tf.TensorSpec((None, *network.shape)))
    return lambda images: concrete(tf.constant(images)).numpy()


def other_form(network):
    """Our model with `BatchNormalization` in the form that its rule did not choose."""
    from kerascnn.backend import batch_normalization as kernel

    rule = kernel.is_fused_in_inference
    with mock.patch.object(kernel, "is_fused_in_inference", lambda x: not rule(x)):
        return in_graph(our_model(network), network)


def predicting(network):
    model = our_model(network)
    return lambda images: model.predict(images, batch_size=len(images), verbose=0)


def in_torch(network):
    import torch

    module = torch_model(network)

    def call(images):
        with torch.inference_mode():
            return module(torch.from_numpy(images).permute(0, 3, 1, 2)).numpy()

    return call


def of_file(runtime, path):
    """A call of a file, by the module that `kerascnn.export` runs it with."""
    model = runpy.run_path(str(RUNTIMES / f"{runtime}.py"))["Model"](path)
    (name,) = model.inputs
    return lambda images: model(**{name: images})


def of_torch_file(runtime, path):
    call = of_file(runtime, path)
    return lambda images: call(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


MODELS = {
    "graph": lambda network: in_graph(our_model(network), network),
    "other form": other_form,
    "predict": predicting,
    "Keras": lambda network: in_graph(keras_model(network), network),
    "applications": lambda network: in_graph(application_model(network), network),
    "PyTorch": in_torch,
}
# The side, the kind of its file, the runtime that reads it, and how
FILES = {
    "SavedModel": ("saved_model", "saved_model", of_file),
    "ONNX": ("onnx", "onnx", of_file),
    "OpenVINO": ("openvino", "openvino", of_file),
    "LiteRT": ("litert", "litert", of_file),
    "Keras's export": ("keras_export", "saved_model", of_file),
    "applications' export": ("application_export", "saved_model", of_file),
    "PyTorch's ONNX": ("torch_onnx", "onnx", of_torch_file),
    "PyTorch's ONNX in OpenVINO": ("torch_onnx", "openvino", of_torch_file),
}
SIDES = (*MODELS, *FILES)


def runners(side, title, path=None):
    """Functions that answer questions about a side."""
    network = network_named(title)
    if side == "write":
        return {kind: lambda kind=kind: write_file(network, kind, path) for kind in _kinds()}
    if side in MODELS:
        call = MODELS[side](network)
    else:
        _, runtime, load = FILES[side]
        call = load(runtime, path)

    def timed(batch):
        images = np.random.default_rng(0).random((batch, *network.shape), np.float32)
        return lambda: seconds(lambda: call(images))

    return {f"batch {batch}": timed(batch) for batch in (1, 2, 8, 64)}


def _kinds():
    return sorted({kind for kind, _, _ in FILES.values()})


if __name__ == "__main__":
    sys.stdout.flush()
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is not an answer
    sys.stdout = answers
    serve(runners)
