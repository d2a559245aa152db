"""What the benchmarks share: sides that run in turn, ratios of medians, and the machine."""

import importlib.metadata
import os
import platform
import statistics
import time
from pathlib import Path


def medians(sides, rounds):
    """Median seconds of functions that each run once per round, in an order that turns.

    Args:
        sides: dict of functions that run one measurement and return its seconds.
        rounds: int.
    """
    for measure in sides.values():
        measure()
    times = {name: [] for name in sides}
    names = list(sides)
    for i in range(rounds):
        for name in names[i % len(names) :] + names[: i % len(names)]:
            time.sleep(0.02)  # threads of the side before stop waiting for work
            times[name].append(sides[name]())
    return {name: statistics.median(found) for name, found in times.items()}


def seconds(function):
    """How long one call takes."""
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


def machine(*packages):
    """One sentence on the processor and the versions."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return (
        f"{os.cpu_count()} cores of {_processor()}, no GPU; "
        f"Python {platform.python_version()}, {versions}."
    )


def _processor():
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(": ")[2]
    return platform.processor()
