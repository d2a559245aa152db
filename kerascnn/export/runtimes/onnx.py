"""Runs ONNX files in ONNX Runtime."""

import json

import onnxruntime


class Model:
    """An ONNX file.

    Args:
        path: path of the file.
        threads: optional int, number of threads; by default the number of cores.
    """

    def __init__(self, path, threads=None):
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        # Threads that spin while waiting for the next call would slow down other programs.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        if threads is not None:
            options.intra_op_num_threads = threads
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self.metadata = json.loads(
            self._session.get_modelmeta().custom_metadata_map.get("kerascnn", "{}")
        )
        self.inputs = [taken.name for taken in self._session.get_inputs()]
        self._outputs = [given.name for given in self._session.get_outputs()]

    def __call__(self, **arrays):
        return dict(zip(self._outputs, self._session.run(None, arrays), strict=True))
