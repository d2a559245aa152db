"""Times single calls of networks: ours in every form and runtime, Keras's and PyTorch's.

    python benchmarks/inference.py [--rounds 15] [--networks mobilenet_v1,resnet50] [--out FILE]
    python benchmarks/inference.py --networks resnet20 --sides graph,Keras --ways oneDNN --batches 1

Each side has a process of its own, so that threads that wait in a loop for work disturb no other;
ONNX Runtime's do not wait so. The processes are started several times, because two processes of one
side differ by up to 20 %. The sides of a network run alternately, round by round. Files are written
once, and read by the processes of all ways: oneDNN with all instructions of the processor and with
those up to AVX2, and TensorFlow without oneDNN, again with both.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from inference_networks import NETWORKS
from inference_sides import FILES, SIDES
from timing import in_turn, write_page
from worker import Worker

AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
WAYS = {
    "oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "1"},
    "oneDNN, AVX2": {"TF_ENABLE_ONEDNN_OPTS": "1", **AVX2},
    "no oneDNN": {"TF_ENABLE_ONEDNN_OPTS": "0"},
    "no oneDNN, AVX2": {"TF_ENABLE_ONEDNN_OPTS": "0", **AVX2},
}
# What depends on TensorFlow's use of oneDNN, and of its own kernels; the other sides run once.
_GRAPHS = ("graph", "Keras", "applications")
_EXPORTS = ("SavedModel", "Keras's export", "applications' export")
SIDES_OF_WAYS = {
    "oneDNN": tuple(SIDES),
    "oneDNN, AVX2": (*_GRAPHS, "SavedModel"),
    "no oneDNN": (*_GRAPHS, *_EXPORTS),
    "no oneDNN, AVX2": (*_GRAPHS, "SavedModel"),
}
# Whose time is divided by whose
RATIOS = (
    ("Keras", "graph"),
    ("applications", "graph"),
    ("other form", "graph"),
    ("Keras's export", "SavedModel"),
    ("applications' export", "SavedModel"),
    ("PyTorch's ONNX", "ONNX"),
    ("PyTorch's ONNX in OpenVINO", "OpenVINO"),
    ("PyTorch", "ONNX"),
)
SCRIPT = "inference_sides.py"


def sides_of(network, asked):
    """The sides that there are of a network: of Keras's layers, or of
    `keras.applications` where it has one."""
    if network.application is None:
        missing = {"applications", "applications' export"}
    else:
        missing = {"Keras", "Keras's export"}
    if network.torch is None:
        missing |= {"PyTorch", "PyTorch's ONNX", "PyTorch's ONNX in OpenVINO"}
    return [side for side in asked if side not in missing]


def written(network, sides, folder):
    """Writes the files of the sides and returns `{side: path}`."""
    paths = {}
    worker = Worker(SCRIPT, WAYS["oneDNN"])
    for side in sides:
        if side in FILES:
            kind = FILES[side][0]
            paths[side] = worker.ask(kind, side="write", title=network.title, path=str(folder))
    worker.close()
    return paths


def measured(network, sides, paths, way, options):
    """Yields `(batch, {side: median milliseconds})`."""
    times = {batch: {side: [] for side in sides} for batch in options.batches}
    for _ in range(options.restarts):
        made_of = {
            side: {
                "side": side,
                "title": network.title,
                **({"path": paths[side]} if side in paths else {}),
            }
            for side in sides
        }
        workers = started(made_of, way)
        for batch in options.batches:
            calls = {
                side: partial(worker.ask, f"batch {batch}", **made_of[side])
                for side, worker in workers.items()
            }
            for side, found in in_turn(calls, -(-options.rounds // options.restarts)).items():
                times[batch][side] += found
        for worker in workers.values():
            worker.close()
    for batch, found in times.items():
        yield batch, {side: 1e3 * statistics.median(some) for side, some in found.items() if some}


def started(made_of, way):
    """Starts a process for each side, two at a time, and leaves out those that fail."""

    def start(side):
        worker = Worker(SCRIPT, WAYS[way])
        try:
            worker.ask("batch 1", **made_of[side])
        except ValueError:  # the process has ended
            print(f"{side} of {made_of[side]['title']} failed ({way}).", flush=True)
            return side, None
        return side, worker

    with ThreadPoolExecutor(2) as pool:
        return {side: worker for side, worker in pool.map(start, made_of) if worker}


def tables(found):
    """The lines of a table of ratios and of one of times, with the columns that have a number.

    Args:
        found: list of `(way, title, batch, {side: milliseconds})`.
    """
    measured = {side for *_, times in found for side in times}
    sides = [side for side in SIDES if side in measured]
    pairs = [(a, b) for a, b in RATIOS if any({a, b} <= set(times) for *_, times in found)]
    ratios = [("way", "network", "batch", *(f"{a} / {b}" for a, b in pairs))]
    milliseconds = [("way", "network", "batch", *sides)]
    for way, title, batch, times in found:
        place = (way, title, str(batch))
        ratios.append(
            (
                *place,
                *(f"{times[a] / times[b]:.2f}" if {a, b} <= set(times) else "" for a, b in pairs),
            )
        )
        milliseconds.append(
            (*place, *(f"{times[side]:.3g}" if side in times else "" for side in sides))
        )
    return [_lines(rows) for rows in (ratios, milliseconds)]


def _lines(rows):
    head, *others = rows
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *others))


def listed(text, known, name):
    """The values of an option, separated by semicolons or commas."""
    found = [word.strip() for word in text.replace(";", ",").split(",") if word.strip()]
    unknown = [word for word in found if word not in known]
    if unknown:
        raise SystemExit(f"--{name} must be some of {'; '.join(known)}; got {unknown[0]!r}.")
    return found or list(known)


def parsed():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--restarts", type=int, default=3, help="of all processes")
    parser.add_argument("--networks", default="", help="names, separated by commas")
    parser.add_argument("--sides", default="", help=f"some of: {', '.join(SIDES)}")
    parser.add_argument("--ways", action="append", choices=list(WAYS), help="may be repeated")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--out", type=Path)
    return parser.parse_args()


def main():
    options = parsed()
    titles = {network.title: network for network in NETWORKS}
    networks = [titles[title] for title in listed(options.networks, titles, "networks")]
    asked = listed(options.sides, SIDES, "sides")
    found = []
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            sides = sides_of(network, asked)
            paths = written(network, sides, folder)
            for way in options.ways or WAYS:
                here = [side for side in sides if side in SIDES_OF_WAYS[way]]
                for batch, times in measured(network, here, paths, way, options):
                    found.append((way, network.title, batch, times))
                    print(json.dumps(found[-1]), flush=True)
    if options.out:
        ratios, milliseconds = tables(found)
        write_page(
            options.out,
            PAGE,
            rounds=options.rounds,
            restarts=options.restarts,
            ratios=ratios,
            milliseconds=milliseconds,
        )


PAGE = """# Single calls of networks

Medians over {rounds} rounds in which all sides ran alternately, each in a process of its own, which
was started {restarts} times, because the times of two processes of one side differ by up to 20 %.
ONNX Runtime's threads do not wait in loops. Images are float32 arrays, from which outputs are
computed without preprocessing. Biases, scales and statistics are random numbers, as in a trained
model: in a new one they are 0 and 1, and TensorFlow removes the operations with them.

"graph" is our model in a `tf.function`, "other form" the same with `BatchNormalization` in the form
that its rule did not choose, "predict" is `model.predict`; "SavedModel", "ONNX", "OpenVINO" and
"LiteRT" are the files of `kerascnn.export.export`. "Keras" is the same network of Keras's layers in
a `tf.function` ("same" padding replaces explicit zeros), "applications" the one of
`keras.applications`, and their exports are SavedModels of `model.export`. "PyTorch" is eager, in
`inference_mode` and channels_last; its ONNX files are of `torch.onnx.export`, in ONNX Runtime and
in OpenVINO.

## Ratios

How many times as long the first takes as the second: above 1, ours is faster.

{ratios}

## Milliseconds

{milliseconds}

"AVX2" limits oneDNN to the instructions that many processors have (`ONEDNN_MAX_CPU_ISA=AVX2`).
Where `keras.applications` has a network, it takes the place of the one of Keras's layers. Sides
that do not depend on TensorFlow's kernels run in the first way only; sides that were not
measured have no column.
"""


if __name__ == "__main__":
    sys.exit(main())
