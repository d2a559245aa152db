"""Tabulates the exports of networks: size, largest difference, time of one image, and 8 bits.

    python benchmarks/exports.py runs/lenet5 runs/resnet20 runs/streets runs/photos
    python benchmarks/exports.py --models lenet5 resnet20 resnext50_32x4d unet espcn_x3

With folders of runs, 8 bits are calibrated on images of the training, and scores are of the
validation split. With names of models, weights are random, and there are no scores.
"""

import argparse
import os
import tempfile
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command `kerascnn` does

import keras
from timing import machine

from kerascnn import export, models, runs
from kerascnn.export.real_images import real_images

SUFFIXES = {"saved_model": "", "onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}
COLUMNS = ("network", "format", "size", "largest difference", "one image")
QUANTIZED = ("8 bits: size", "one image", "score", "without")
CALIBRATION = 16


def of_run(folder, kind, quantize, out):
    found = runs.export(folder, out, format=kind, quantize=quantize)
    return found.exported, found.score


def of_model(name, kind, quantize, out):
    keras.utils.set_random_seed(0)
    info = models.model_info(name)
    if info.task == "segmentation":
        model = models.create_model(name, (None, None, 3), 12)
        serving = export.segmentation_serving(model)
    elif info.task == "upscaling":
        model = models.create_model(name)
        serving = export.upscaling_serving(model)
    else:
        model = models.create_model(name)
        serving = export.classification_serving(model)
    images = real_images()[3:]
    found = export.export(
        model,
        out,
        format=kind,
        serving=serving,
        images=images,
        quantize=quantize,
        calibration=images * (CALIBRATION // len(images)),
    )
    return found, None


def row(name, write, kind, folder):
    """Cells of one format of one network."""
    suffix = SUFFIXES[kind]
    exact, _ = write(kind, None, folder / f"exact{suffix}")
    cells = [name, kind, *_numbers(exact)]
    if not suffix:
        return [*cells, *["-"] * len(QUANTIZED)]
    small, score = write(kind, "int8", folder / f"int8{suffix}")
    size, _, time = _numbers(small)
    scores = ["-", "-"] if score is None else [f"{score.after:.4f}", f"{score.before:.4f}"]
    return [*cells, size, time, *scores]


def _numbers(found):
    return (
        f"{found.bytes / 1e6:.2f} MB",
        f"{found.difference:.1g} ({found.unit})",
        f"{found.milliseconds:.2f} ms",
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", nargs="*", type=Path)
    parser.add_argument("--models", nargs="*", default=[])
    parser.add_argument("--formats", nargs="*", choices=list(SUFFIXES), default=list(SUFFIXES))
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"| {' | '.join((*COLUMNS, *QUANTIZED))} |")
    print(f"|{'---|' * len((*COLUMNS, *QUANTIZED))}")
    networks = [(run.name, of_run, run) for run in options.runs]
    networks += [(name, of_model, name) for name in options.models]
    for name, function, source in networks:
        for kind in options.formats:
            with tempfile.TemporaryDirectory() as folder:

                def write(*where, function=function, source=source):
                    return function(source, *where)

                print(f"| {' | '.join(row(name, write, kind, Path(folder)))} |", flush=True)
    print(f"\nMachine: {machine()}")


if __name__ == "__main__":
    main()
