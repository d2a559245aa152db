"""LiteRT (TensorFlow Lite) files."""

import json
import tempfile
import warnings
import zipfile
from pathlib import Path

import tensorflow as tf

from kerascnn.export.network import plain_graph, save_graph
from kerascnn.export.runtimes.litert import METADATA

# Operations that resize images and do not occur in convolutions
_FLOAT = ["ABS", "BATCH_MATMUL", "DIV", "MAXIMUM", "MUL", "RESHAPE", "SUB", "SUM", "TRANSPOSE"]


def write(model, serving, path, feeds=None):
    """Writes a model as a LiteRT file, as `saved_model.write` does.

    Args:
        model: see `saved_model.write`.
        serving: see `saved_model.write`.
        path: path of the file.
        feeds: optional list of dicts of arrays to calibrate 8-bit weights and activations.
    """
    with tempfile.TemporaryDirectory() as folder:
        save_graph(plain_graph(model, serving), Path(folder, "model"))
        converter = tf.lite.TFLiteConverter.from_saved_model(str(Path(folder, "model")))
        # Only operations that every interpreter supports
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if feeds is not None:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: iter(feeds)
            path.write_bytes(_quantized(converter, feeds))
        else:
            path.write_bytes(converter.convert())
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(METADATA, json.dumps(serving.facts))


def _quantized(converter, feeds):
    """Returns an 8-bit model that resizes images in float32.

    The ranges in resizing depend on the size of the image, and calibration images have only one
    size. Only the debugger has an option to leave out operations.
    """
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_ops=_FLOAT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # TensorFlow's warning that its interpreter moves to LiteRT
        debugger = tf.lite.experimental.QuantizationDebugger(
            converter=converter, debug_dataset=lambda: iter(feeds[:1]), debug_options=options
        )
        return debugger.get_nondebug_quantized_model()
