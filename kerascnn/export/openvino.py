"""OpenVINO models: a file with the graph and a file with the weights."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

from kerascnn.export.network import plain_graph, save_graph


def write(model, serving, path):
    """Writes a model as an OpenVINO model, as `saved_model.write` does.

    Args:
        model: see `saved_model.write`.
        serving: see `saved_model.write`.
        path: path of the `.xml` file; the `.bin` file is next to it.
    """
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        save_graph(plain_graph(model, serving), Path(folder, "model"))
        found = openvino.convert_model(str(Path(folder, "model")))
    found.set_rt_info(json.dumps(serving.facts), ["kerascnn"])
    openvino.save_model(found, str(path), compress_to_fp16=False)


def quantize(path, target, feeds):
    """Writes an OpenVINO model with 8-bit weights and activations (NNCF).

    Args:
        path: path of the file of `write`.
        target: path of the new file.
        feeds: list of dicts of arrays, the inputs to calibrate on.
    """
    import nncf
    import openvino

    model = openvino.Core().read_model(str(path))
    # As in ONNX files: without VNNI, sums of products of 8 bits are cut off at 16 bits.
    every = nncf.AdvancedQuantizationParameters(overflow_fix=nncf.OverflowFix.ENABLE)
    with contextlib.redirect_stdout(io.StringIO()):  # its progress bars
        found = nncf.quantize(
            model, nncf.Dataset(feeds), subset_size=len(feeds), advanced_parameters=every
        )
    openvino.save_model(found, str(target), compress_to_fp16=False)
