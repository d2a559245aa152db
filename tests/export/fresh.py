"""Many exports in one process that imports nothing of kerascnn."""

import subprocess
import sys

import numpy as np

PROGRAM = """
import pathlib, sys

for name in ("keras", "kerascnn", "kerascnn_apps"):
    sys.modules[name] = None  # whoever imports it fails

import numpy as np

def saved_model(path, images):
    import tensorflow as tf

    found = tf.saved_model.load(path).signatures["serving_default"](images=tf.constant(images))
    return {name: tensor.numpy() for name, tensor in found.items() if name != "class_name"}

def onnx(path, images):
    import onnxruntime

    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(None, {"pixels": images})))

def litert(path, images):
    from ai_edge_litert.interpreter import Interpreter

    return Interpreter(path).get_signature_runner()(pixels=images)

def openvino(path, images):
    import openvino

    model = openvino.Core().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    found = model({"pixels": images})
    return {output.any_name: found[output] for output in model.outputs}

folder = pathlib.Path(sys.argv[1])
for line in (folder / "jobs.txt").read_text().splitlines():
    format, name, path = line.split("\\t")
    for images in sorted(folder.glob(f"{name}_images_*.npy")):
        found = globals()[format](path, np.load(images))
        number = images.stem.rpartition("_")[2]
        np.savez(folder / f"{name}_{format}_{number}.npz", **found)
"""


def answers(jobs, images, folder):
    """Returns `{(format, name, i): dict of arrays}`, computed in one fresh process.

    Args:
        jobs: list of `(format, name, path)`.
        images: `{name: list of uint8 batches}`.
        folder: path of an empty folder.
    """
    for name, batches in images.items():
        for i, batch in enumerate(batches):
            np.save(folder / f"{name}_images_{i}.npy", batch)
    (folder / "jobs.txt").write_text("\n".join("\t".join(map(str, job)) for job in jobs))
    command = [sys.executable, "-P", "-c", PROGRAM, str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr[-2000:]
    return {
        (kind, name, i): dict(np.load(folder / f"{name}_{kind}_{i}.npz"))
        for kind, name, _ in jobs
        for i in range(len(images[name]))
    }
