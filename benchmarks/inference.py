"""Times single calls of networks: ours in every form and runtime, Keras's and PyTorch's.

    python benchmarks/inference.py [--rounds 15] [--networks mobilenet_v1,resnet50] [--out FILE]
    python benchmarks/inference.py --networks resnet20 --sides graph,Keras --ways oneDNN --batches 1

Each side has a process of its own, so that threads that wait in a loop for work disturb no other;
ONNX Runtime's are told not to. The sides of a network run in turn, round by round. Files are
written once, and read by the processes of all ways: oneDNN with all instructions of the processor
and with those up to AVX2, and TensorFlow without oneDNN, again with both.
"""

import argparse
import os
import statistics
import sys
import tempfile
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
    """The sides that there are of a network."""
    missing = set()
    if network.application is None:
        missing |= {"applications", "applications' export"}
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


def measured(network, sides, paths, way, batches, rounds):
    """Yields `(batch, {side: median milliseconds})`."""
    workers = {side: Worker(SCRIPT, WAYS[way]) for side in sides}
    made_of = {
        side: {
            "side": side,
            "title": network.title,
            **({"path": paths[side]} if side in paths else {}),
        }
        for side in sides
    }
    try:
        for batch in batches:
            question = f"batch {batch}"
            calls = {side: partial(workers[side].ask, question, **made_of[side]) for side in sides}
            times = in_turn(calls, rounds)
            yield batch, {side: 1e3 * statistics.median(found) for side, found in times.items()}
    finally:
        for worker in workers.values():
            worker.close()


def rows_of(way, network, batch, times):
    """A row of times and a row of ratios."""
    place = f"| {way} | {network.title} | {batch} |"
    cells = [f"{times[side]:.3g}" if side in times else "-" for side in SIDES]
    ratios = [
        f"{times[other] / times[ours]:.2f}" if {other, ours} <= set(times) else "-"
        for other, ours in RATIOS
    ]
    return f"{place} {' | '.join(cells)} |", f"{place} {' | '.join(ratios)} |"


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
    times, ratios = [], []
    for network in networks:
        with tempfile.TemporaryDirectory() as folder:
            sides = sides_of(network, asked)
            paths = written(network, sides, folder)
            for way in options.ways or WAYS:
                for batch, found in measured(
                    network, sides, paths, way, options.batches, options.rounds
                ):
                    row, ratio = rows_of(way, network, batch, found)
                    times.append(row)
                    ratios.append(ratio)
                    print(row, ratio, sep="\n", flush=True)
    if options.out:
        write_page(
            options.out,
            PAGE,
            rounds=options.rounds,
            sides=" | ".join(SIDES),
            side_lines="|".join(["---"] * len(SIDES)),
            pairs=" | ".join(f"{other} / {ours}" for other, ours in RATIOS),
            pair_lines="|".join(["---"] * len(RATIOS)),
            times="\n".join(times),
            ratios="\n".join(ratios),
        )


PAGE = """# Single calls of networks

Medians over {rounds} rounds in which all sides ran in turn, each in a process of its own; ONNX
Runtime's threads do not wait in loops. Images are float32 arrays, from which outputs are computed
without preprocessing.

"graph" is our model in a `tf.function`, "other form" the same with `BatchNormalization` in the form
that its rule did not choose, "predict" is `model.predict`; "SavedModel", "ONNX", "OpenVINO" and
"LiteRT" are the files of `kerascnn.export.export`. "Keras" is the same network of Keras's layers in
a `tf.function` ("same" padding replaces explicit zeros), "applications" that of
`keras.applications`, and their exports are SavedModels of `model.export`. "PyTorch" is eager, in
`inference_mode` and channels_last; its ONNX files are of `torch.onnx.export`, in ONNX Runtime and
in OpenVINO.

## Ratios

How many times as long the first takes as the second: above 1, ours is faster.

| way | network | batch | {pairs} |
|---|---|---|{pair_lines}|
{ratios}

## Milliseconds

| way | network | batch | {sides} |
|---|---|---|{side_lines}|
{times}

"AVX2" limits oneDNN to the instructions that many processors have (`ONEDNN_MAX_CPU_ISA=AVX2`).
"""


if __name__ == "__main__":
    sys.exit(main())
