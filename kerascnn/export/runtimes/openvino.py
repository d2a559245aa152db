"""Runs OpenVINO models in OpenVINO."""

import json

import openvino


class Model:
    """An OpenVINO model.

    Args:
        path: path of the `.xml` file; the `.bin` file must be next to it.
        threads: optional int, number of threads; by default the number of cores.
    """

    def __init__(self, path, threads=None):
        core = openvino.Core()
        model = core.read_model(str(path))
        known = model.has_rt_info(["kerascnn"])
        self.metadata = json.loads(model.get_rt_info(["kerascnn"]).astype(str)) if known else {}
        # Without the first hint, processors with bfloat16 support compute in bfloat16.
        options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
        if threads is not None:
            options["INFERENCE_NUM_THREADS"] = threads
        self._compiled = core.compile_model(model, "CPU", options)
        self.inputs = [taken.any_name for taken in self._compiled.inputs]
        self._outputs = [given.any_name for given in self._compiled.outputs]

    def __call__(self, **arrays):
        found = self._compiled(arrays)
        return {name: found[i].copy() for i, name in enumerate(self._outputs)}
