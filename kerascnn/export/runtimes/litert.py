"""A LiteRT file in LiteRT's interpreter."""

import json
import os
import zipfile

from ai_edge_litert.interpreter import Interpreter

# Files that belong to a model are a ZIP archive behind it, as in TensorFlow Lite's own metadata.
METADATA = "kerascnn.json"


class Model:
    """A LiteRT file.

    Args:
        path: path of the file.
        threads: optional int, how many to compute with; by default as many as there are cores.
    """

    def __init__(self, path, threads=None):
        self.metadata = read_metadata(path)
        threads = os.cpu_count() if threads is None else threads
        interpreter = Interpreter(str(path), num_threads=threads)
        self._run = interpreter.get_signature_runner("serving_default")
        self.inputs = list(self._run.get_input_details())

    def __call__(self, **arrays):
        # What it returns may be its own memory, which the next call overwrites.
        return {name: array.copy() for name, array in self._run(**arrays).items()}


def read_metadata(path):
    """Returns what an export says about itself; `{}` for a file of another program."""
    if not zipfile.is_zipfile(path):
        return {}
    with zipfile.ZipFile(path) as archive:
        found = METADATA in archive.namelist()
        return json.loads(archive.read(METADATA)) if found else {}
