"""Runs an exported model in a process that does not import kerascnn."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.export.serving import ExportError

_RUNTIMES = Path(__file__).parent / "runtimes"
# Beginnings of TensorFlow's log lines, which are not the reason of a failure
_NOISE = ("WARNING", "I0", "W0", "INFO")

# Arguments: the module of the runtime, the exported model, the folder of the inputs.
PROGRAM = """
import json, pathlib, runpy, statistics, sys, time

sys.modules["kerascnn"] = sys.modules["keras"] = None  # importing them fails

import numpy as np

model = runpy.run_path(sys.argv[1])["Model"](sys.argv[2])
folder = pathlib.Path(sys.argv[3])
milliseconds = None
for path in sorted(folder.glob("inputs_*.npz")):
    arrays = dict(np.load(path))
    found = {"arrays": model(**arrays)}
    png = path.with_suffix(".png")
    if png.exists() and hasattr(model, "decode"):
        found["encoded"] = model.decode([png.read_bytes()])
    for kind, outputs in found.items():
        if outputs is not None:
            for name, array in outputs.items():
                if array.dtype.kind == "V":  # bfloat16, which files of NumPy do not know
                    outputs[name] = array.astype("float32")
            np.savez(folder / f"{kind}_{path.stem}.npz", **outputs)
    if milliseconds is None:
        seconds, until = [], time.perf_counter() + 1.0
        while len(seconds) < 20 and (len(seconds) < 3 or time.perf_counter() < until):
            began = time.perf_counter()
            model(**arrays)
            seconds.append(time.perf_counter() - began)
        milliseconds = 1e3 * statistics.median(seconds)
(folder / "report.json").write_text(json.dumps({"ms": milliseconds, "metadata": model.metadata}))
"""


def run_in_fresh_process(runtime, path, examples, folder):
    """Runs an exported model on examples.

    Args:
        runtime: str, the name of a module of `kerascnn.export.runtimes`.
        path: path of the exported model.
        examples: list of dicts of arrays, the inputs of one call each. A uint8 image is also passed
            as a PNG file, if the exported model accepts files.
        folder: path of an empty folder for intermediate files.

    Returns:
        `(outputs, milliseconds)`: for each example a list of dicts of arrays, and the median time
        of a call with the first example.

    Raises:
        ExportError: if the process fails.
    """
    for i, example in enumerate(examples):
        np.savez(folder / f"inputs_{i:04d}.npz", **example)
        pixels = next(iter(example.values()))
        if pixels.dtype == np.uint8 and pixels.ndim == 4:
            png = tf.io.encode_png(pixels[0]).numpy()
            (folder / f"inputs_{i:04d}.png").write_bytes(png)
    module = _RUNTIMES / f"{runtime}.py"
    result = run_program(PROGRAM, module, path, folder)
    if result.returncode != 0:
        lines = [line for line in result.stderr.splitlines() if line.strip()]
        lines = [line for line in lines if not line.startswith(_NOISE)]
        reason = lines[-1].strip() if lines else f"status {result.returncode}"
        raise ExportError(f"The exported model does not run in a fresh process ({reason}).")
    report = json.loads((folder / "report.json").read_text())
    outputs = [
        [
            dict(np.load(found))
            for kind in ("arrays", "encoded")
            if (found := folder / f"{kind}_inputs_{i:04d}.npz").exists()
        ]
        for i in range(len(examples))
    ]
    return outputs, report["ms"]


def run_program(program, *arguments):
    """Runs a program in a new Python and returns its `subprocess.CompletedProcess`."""
    # -P: nothing is imported from the current folder. On the CPU, because the memory of a GPU
    # belongs to this process.
    return subprocess.run(
        [sys.executable, "-P", "-c", program, *map(str, arguments)],
        env={**os.environ, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
