"""Writes models for other runtimes, and checks each file before moving it into place."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError, one_of
from kerascnn.data.pixels import resize
from kerascnn.export.arrays import ArrayServing
from kerascnn.export.blame import named_layer
from kerascnn.export.formats import Format, get_format
from kerascnn.export.fresh_process import run_in_fresh_process
from kerascnn.export.network import inference_form
from kerascnn.export.real_images import real_images
from kerascnn.export.serving import ExportError, Serving
from kerascnn.storage.atomic_write import make_folder, sync_tree, temporary_next_to

# Part of the name of the temporary folder of an export.
TEMPORARY = "kerascnn-export-"
_INT8 = "int8"


@dataclass(frozen=True)
class Exported:
    """The result of `export`.

    Args:
        path: `pathlib.Path` of the file, or of the folder of a SavedModel.
        bytes: int, total size of its files.
        difference: float, largest difference from the outputs of the model.
        unit: str, unit of the difference.
        milliseconds: float, time for one image.
    """

    path: Path
    bytes: int
    difference: float
    unit: str
    milliseconds: float

    def __fspath__(self):
        return str(self.path)


def export(
    model: keras.Model,
    path: str | Path,
    *,
    format: str = "saved_model",
    serving: Serving | None = None,
    images: Iterable[np.ndarray] = (),
    quantize: str | None = None,
    calibration: Iterable[np.ndarray] = (),
    overwrite: bool = False,
) -> Exported:
    """Exports a model to another runtime.

    The exported model is optimized for inference: Keras's layers are replaced by kerascnn's as in
    `kerascnn.models.accelerate`, batch normalization is folded into kernels as in
    `kerascnn.models.fold_batch_normalization`, and weights become constants. If a model does not
    allow this, it is exported unchanged, with a warning. The batch size stays dynamic, and so do
    height and width if the model accepts any size.

    With `serving`, the exported model takes uint8 images of any height and width as they are
    stored, includes the preprocessing, and stores the metadata of `serving`. A SavedModel then has
    two signatures:

    - `serving_default`: `images`, uint8 of shape `(batch, height, width, channels)` with 1, 3 or 4
      (RGBA) channels;
    - `encoded_images`: `encoded_images`, string of shape `(batch,)`, each the bytes of a PNG or
      JPEG file; all of one size, unless the model resizes images. Files with more than
      `serving.max_pixels` pixels are rejected before they are decoded.

    In the other formats the input is `pixels`, with the model's number of channels. Without
    `serving`, inputs and outputs are the same as in the model.

    The exported model is run in a fresh process that does not import kerascnn, and compared with
    the model on real images. The file is kept only if the outputs match; with `quantize`, the
    difference is only reported.

    Args:
        model: `keras.Model`.
        path: for a SavedModel, the folder of versions as in TensorFlow Serving: the model is
            written to the next free number, at first `path/1`. Otherwise the file, which must end
            in `.onnx`, `.tflite` (LiteRT) or `.xml` (OpenVINO, with a `.bin` file next to it).
        format: `"saved_model"`, `"onnx"`, `"litert"` or `"openvino"`.
        serving: optional `Serving` of the model, from `classification_serving`,
            `segmentation_serving`, `upscaling_serving` or `reconstruction_serving`.
        images: additional uint8 images `(height, width, channels)` for the comparison.
        quantize: `None`, or `"int8"` for 8-bit weights and activations; not for a SavedModel.
        calibration: with `quantize`, uint8 images to calibrate the ranges of activations.
        overwrite: bool, whether to replace an existing file.

    Returns:
        `Exported`.

    Raises:
        ValueError: if Keras does not run on TensorFlow, or an argument is wrong.
        FileExistsError: if the file exists.
        kerascnn.export.MissingRuntimeError: if a package is missing.
        ExportError: if the format does not support a layer, or the outputs of the file differ from
            the model.

    Example:
        >>> import tempfile
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("lenet5")
        >>> serving = kerascnn.export.classification_serving(model)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     exported = kerascnn.export.export(model, folder, serving=serving)
        >>> exported.path.name, exported.difference < 1e-5
        ('1', True)
    """
    job = _Job(model, get_format(format), serving or ArrayServing(model), quantize)
    target = job.checked_target(path, overwrite)
    images = [*images, *real_images()]  # the first image is timed
    with tempfile.TemporaryDirectory(prefix="kerascnn-") as folder:
        folder = Path(folder)
        network = inference_form(model)
        written = job.write(network, folder, calibration)
        difference, milliseconds = job.compare(network, written, images, folder)
        size = sum(file.stat().st_size for file in _files(written))
        target = job.put_in_place(written, target)
    return Exported(target, size, difference, job.serving.unit, milliseconds)


@dataclass(frozen=True)
class _Job:
    """One export.

    Args:
        model: `keras.Model`.
        format: `Format`.
        serving: `Serving` or `ArrayServing`.
        quantize: `None` or `"int8"`.
    """

    model: keras.Model
    format: Format
    serving: Any
    quantize: str | None

    def __post_init__(self):
        if self.quantize is not None:
            one_of(self.quantize, (_INT8,), "quantize")
            if self.format.quantizers is None:
                raise UsageError(
                    "`quantize` must be None for a SavedModel: TensorFlow computes in floats. "
                    "Use format='litert', 'onnx' or 'openvino'."
                )
        if keras.backend.backend() != "tensorflow":
            raise UsageError(
                "Export requires the TensorFlow backend, which can load models trained on any "
                f"backend; got {keras.backend.backend()}."
            )
        self.format.check_installed(self.quantize is not None)

    def checked_target(self, path, overwrite):
        """Returns the output path; raises an error if it is not allowed."""
        path = Path(path)
        try:
            str(path).encode()
        except UnicodeEncodeError as error:
            raise UsageError(
                f"The name of the export must be UTF-8; got {path}: choose another name."
            ) from error
        suffix = self.format.suffix
        if suffix and path.suffix != suffix:
            raise UsageError(
                f"The name of a file for {self.format.title} must end in {suffix}; got {path}."
            )
        for end in filter(None, (suffix, self.format.weights_suffix)):
            file = path.with_suffix(end)
            if file.exists() and not overwrite:
                raise FileExistsError(
                    f"{file} exists; choose another name, or overwrite it (--force; "
                    "`overwrite=True`)."
                )
        if not suffix and path.exists() and not path.is_dir():
            raise NotADirectoryError(f"{path} must be a folder for the versions; got a file.")
        return path

    def write(self, network, folder, calibration):
        """Writes the model into a folder and returns its path."""
        path = folder / f"model{self.format.suffix}"
        try:
            if self.quantize is None:
                self.format.writer.write(network, self.serving, path)
                return path
            return self._write_quantized(network, folder, path, self._feeds(calibration))
        except (UsageError, ExportError):
            raise
        except Exception as error:  # converters raise many kinds of errors
            raise ExportError(self._sentence(network, error)) from error

    def _write_quantized(self, network, folder, path, feeds):
        if hasattr(self.format.writer, "quantize"):
            exact = folder / f"exact{self.format.suffix}"
            self.format.writer.write(network, self.serving, exact)
            self.format.writer.quantize(exact, path, feeds)
        else:
            self.format.writer.write(network, self.serving, path, feeds)
        return path

    def _feeds(self, calibration):
        """Returns calibration inputs of one shape, which LiteRT requires."""
        images = list(calibration)
        if not images:
            raise UsageError("`calibration` must have images for `quantize`; got none.")
        size = self.serving.size
        if size:
            images = [np.round(resize(image, size)).astype(np.uint8) for image in images]
        else:
            height, width = np.min([image.shape[:2] for image in images], axis=0)
            images = [image[:height, :width] for image in images]
        return [self._named(example) for example in self.serving.examples(images)]

    def _named(self, example):
        names = [spec.name for spec in self.serving.signature(self.format.name == "saved_model")]
        return dict(zip(names, example, strict=True))

    def compare(self, network, written, images, folder):
        """Returns the largest difference from the model, and the milliseconds for one image."""
        examples = self.serving.examples(images)
        # One call has two images, because the batch size is dynamic.
        examples.append([np.concatenate([array, array]) for array in examples[0]])
        between = folder / "between"
        between.mkdir()
        try:
            outputs, milliseconds = run_in_fresh_process(
                self.format.name, written, [self._named(example) for example in examples], between
            )
        except ExportError as error:
            raise ExportError(self._sentence(network, error)) from error
        tolerance = None if self.quantize is None else np.inf
        # The process has no GPU, and a GPU may compute with fewer digits (TF32).
        with tf.device("/CPU:0"):
            difference = max(
                self.serving.compare(
                    [array[: len(_first(found))] for array in example], found, tolerance
                )
                for example, all_found in zip(examples, outputs, strict=True)
                for found in all_found
            )
        return difference, milliseconds

    def _sentence(self, network, error):
        """Returns the error message, with the layer that cannot be exported."""
        reason = " ".join(str(error).split()) or type(error).__name__
        layer = named_layer(network, self.runs)
        where = f"; {self.format.title} does not support the layer {layer}" if layer else ""
        return f"The model cannot be exported to {self.format.title}{where} ({reason[:300]})."

    def runs(self, model):
        """Returns whether a part of the model can be exported and run."""
        with tempfile.TemporaryDirectory(prefix="kerascnn-") as folder:
            folder = Path(folder)
            path, serving = folder / f"model{self.format.suffix}", ArrayServing(model)
            names = [spec.name for spec in serving.signature()]
            try:
                self.format.writer.write(model, serving, path)
                (folder / "between").mkdir()
                example = dict(zip(names, serving.examples(real_images()[:1])[0], strict=True))
                run_in_fresh_process(self.format.name, path, [example], folder / "between")
            except Exception:  # see `write`
                return False
        return True

    def put_in_place(self, written, target):
        """Moves the output into place, through a folder in the same file system."""
        was_there = target.exists()
        beside = target / "model" if written.is_dir() else target
        with contextlib.ExitStack() as stack:
            if not was_there and written.is_dir():
                make_folder(target)
                stack.callback(_remove_if_empty, target)
            temporary = stack.enter_context(temporary_next_to(beside, TEMPORARY))
            if written.is_dir():
                shutil.copytree(written, temporary)
                sync_tree(temporary)
                return self.format.writer.put_in_place(temporary, target)
            return _moved_files(written, temporary, target)


def _moved_files(written, temporary, target):
    """Moves a file, after the files that belong to it."""
    files = _files(written)
    for file in files:
        shutil.copyfile(file, temporary.with_suffix(file.suffix))
    sync_tree(temporary.parent)
    if len(files) > 1:
        target.unlink(missing_ok=True)  # never leave parts of two exports
    for file in sorted(files, key=lambda file: file.suffix == target.suffix):
        os.replace(temporary.with_suffix(file.suffix), target.with_suffix(file.suffix))
    return target


def _files(written):
    """Lists the files of an export."""
    if written.is_dir():
        return [file for file in written.rglob("*") if file.is_file()]
    weights = written.with_suffix(".bin")
    return [written, weights] if written.suffix == ".xml" and weights.exists() else [written]


def _remove_if_empty(folder):
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _first(found):
    return next(iter(found.values()))
