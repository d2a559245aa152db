"""Runs LiteRT files in LiteRT's interpreter."""

import json
import os
import zipfile

from ai_edge_litert.interpreter import Interpreter

# Associated files are a ZIP archive after the model, as in TensorFlow Lite's metadata.
METADATA = "kerascnn.json"


class Model:
    """A LiteRT file.

    Args:
        path: path of the file.
        threads: optional int, number of threads; by default the number of cores.
    """

    def __init__(self, path, threads=None):
        self.metadata = read_metadata(path)
        threads = os.cpu_count() if threads is None else threads
        interpreter = Interpreter(str(path), num_threads=threads)
        self._run = interpreter.get_signature_runner("serving_default")
        self.inputs = list(self._run.get_input_details())

    def __call__(self, **arrays):
        # The result may be the interpreter's own memory, which the next call overwrites.
        return {name: array.copy() for name, array in self._run(**arrays).items()}


def read_metadata(path):
    """Returns the metadata of an exported model; `{}` for a file of another program."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        found = METADATA in archive.namelist()
        return json.loads(archive.read(METADATA)) if found else {}
