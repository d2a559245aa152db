"""What the benchmarks share: sides that run alternately, ratios, and the page of results."""

import argparse
import importlib.metadata
import os
import platform
import shlex
import statistics
import sys
import time
from pathlib import Path


def medians(sides, rounds):
    """Median seconds of functions that each run once per round, as in `in_turn`."""
    return {name: statistics.median(found) for name, found in in_turn(sides, rounds).items()}


def in_turn(sides, rounds, fewer=None):
    """Seconds of functions that each run once per round, in an order that turns.

    Args:
        sides: dict of functions that run one measurement and return its seconds.
        rounds: int, after a first one that warms up.
        fewer: optional dict of the number of rounds after which a side stops, because it is slow.

    Returns:
        dict of lists, with an entry for each round.
    """
    fewer = fewer or {}
    for measure in sides.values():
        measure()
    times = {name: [] for name in sides}
    names = list(sides)
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            if i < fewer.get(name, rounds):
                time.sleep(0.02)  # threads of the side before stop waiting for work
                times[name].append(sides[name]())
    return times


def seconds(function):
    """How long one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def arguments(description, only):
    """The command line that every benchmark has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help=f"a part of the {only}'s name")
    parser.add_argument("--out", type=Path)
    return parser


def write_page(path, page, **places):
    """Fills in a page, under which stands how it was made."""
    setting = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    command = shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    if setting:
        command = f"TF_ENABLE_ONEDNN_OPTS={setting} {command}"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{page.format(**places)}\nCommand: `{command}`. Machine: {machine()}\n")


def machine():
    """The processor, the versions, and what of them TensorFlow makes use of."""
    from kerascnn.backend.group_conv import is_native

    packages = ("tensorflow", "keras", "torch", "numpy", "kerascnn")
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    onednn = "with" if is_native("float32") else "without"  # known by its group convolutions
    return (
        f"{os.cpu_count()} cores of {_processor()}, no GPU; Python {platform.python_version()}, "
        f"{versions}; TensorFlow {onednn} oneDNN."
    )


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()
