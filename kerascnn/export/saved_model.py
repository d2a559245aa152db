"""SavedModels: for TensorFlow and TensorFlow Serving, with signatures that decode image files."""

import errno
import json
import os
from pathlib import Path

import tensorflow as tf

from kerascnn.backend.portable import portable_graphs
from kerascnn.export.arrays import ArrayServing
from kerascnn.export.decode import decode_image
from kerascnn.export.network import Graph, frozen, network_of
from kerascnn.export.runtimes.saved_model import METADATA
from kerascnn.storage.atomic_write import make_folder, sync


def write(model, serving, path):
    """Writes a model as a SavedModel.

    Args:
        model: `keras.Model` in its exported form.
        serving: `Serving` or `ArrayServing`.
        path: path of the folder, which must not contain `[`, `*` or `?`.
    """
    module = tf.Module()
    with portable_graphs():  # it may be served on another processor
        signatures = _signatures(model, serving)
        for name, graph in signatures.items():
            setattr(module, name, graph.function)
        concrete = {name: graph.concrete for name, graph in signatures.items()}
        tf.saved_model.save(module, str(path), signatures=concrete)
    metadata = path / METADATA
    metadata.parent.mkdir(exist_ok=True)
    metadata.write_text(json.dumps(serving.facts, indent=2) + "\n", encoding="utf-8")


def _signatures(model, serving):
    # Folding may have removed the output layer, whose name the outputs keep.
    plain = serving if isinstance(serving, ArrayServing) else ArrayServing(model)
    network = frozen(plain.graph(network_of(model)), plain.signature())
    if isinstance(serving, ArrayServing):
        return {"serving_default": network}

    def compute(images):  # called by both signatures, stored once
        (output,) = network.function(images).values()
        return output

    def graph(function, *signature):
        return Graph(tf.function(function, input_signature=signature, autograph=False), signature)

    decoded = tf.TensorSpec(
        (*(serving.size or (None, None)), serving.channels),
        tf.float32 if serving.size else tf.uint8,
    )

    def from_files(encoded_images):
        images = tf.map_fn(
            lambda encoded: serving.resized(
                decode_image(
                    encoded,
                    serving.channels,
                    serving.max_pixels,
                    serving.metadata.get("value_ranges"),
                )
            ),
            encoded_images,
            fn_output_signature=decoded,
        )
        return dict(serving.outputs(compute, images))

    files = tf.TensorSpec((None,), tf.string, "encoded_images")
    return {
        "serving_default": graph(serving.graph(compute), *serving.signature(any_channels=True)),
        "encoded_images": graph(from_files, files),
    }


def move_to_next_version(model, versions):
    """Moves a model to the next free version, also while another process exports to the folder.

    Args:
        model: path of a folder in the file system of `versions`.
        versions: path of the folder of versions.
    """
    while True:
        taken = [int(entry.name) for entry in versions.iterdir() if entry.name.isdecimal()]
        target = versions / str(1 + max(taken, default=0))
        try:
            os.rename(model, target)
        except OSError as error:
            if error.errno not in (errno.EEXIST, errno.ENOTEMPTY):
                raise
            continue
        sync(versions)
        return target


def put_in_place(written, path):
    """Moves a SavedModel into the folder of the versions.

    Args:
        written: path of the SavedModel in the file system of `path`.
        path: folder of the versions.
    """
    make_folder(path)
    return move_to_next_version(written, Path(path))
