"""The export formats."""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from kerascnn.arguments import UsageError, one_of


@dataclass(frozen=True)
class Format:
    """An export format.

    Args:
        name: str, the name of its modules in `kerascnn.export` and `kerascnn.export.runtimes`.
        title: str, its display name.
        suffix: str, the suffix of its files; empty for a folder.
        packages: names of the packages that write and run the format.
        quantizers: names of the packages that quantize it.
        weights_suffix: str, the suffix of a second file, with the weights; empty if there is none.
    """

    name: str
    title: str
    suffix: str
    packages: tuple[str, ...] = ()
    quantizers: tuple[str, ...] | None = None
    weights_suffix: str = ""

    @property
    def writer(self):
        """The module that writes the format."""
        return importlib.import_module(f"kerascnn.export.{self.name}")

    @property
    def runtime(self):
        """The module that runs the format."""
        return importlib.import_module(f"kerascnn.export.runtimes.{self.name}")

    def check_installed(self, quantized=False):
        """Raises an error if packages are missing.

        Args:
            quantized: bool, whether the packages for quantization are needed too.

        Raises:
            MissingRuntimeError: with the command that installs them.
        """
        wanted = (*self.packages, *(self.quantizers or () if quantized else ()))
        missing = [name for name in wanted if importlib.util.find_spec(name) is None]
        if missing:
            extra = "quantize" if set(missing) <= set(self.quantizers or ()) else "export"
            raise MissingRuntimeError(
                f"{self.title} needs {' and '.join(missing)}, which is not installed: "
                f'pip install "kerascnn[{extra}]".'
            )


class MissingRuntimeError(RuntimeError):
    """Raised when a package that writes or runs a format is not installed."""


FORMATS = {
    found.name: found
    for found in (
        Format("saved_model", "SavedModel", ""),
        Format("onnx", "ONNX", ".onnx", ("onnx", "onnxruntime", "tf2onnx"), ()),
        Format("litert", "LiteRT", ".tflite", ("ai_edge_litert",), ()),
        Format("openvino", "OpenVINO", ".xml", ("openvino",), ("nncf",), ".bin"),
    )
}


def get_format(name):
    """Returns a format by its name.

    Raises:
        UsageError: for an unknown name.
    """
    return FORMATS[one_of(name, tuple(FORMATS), "format")]


def format_of(path):
    """Returns the format of an exported model, or `None` if the path has none."""
    path = Path(path)
    if (path / "saved_model.pb").is_file():
        return FORMATS["saved_model"]
    for found in FORMATS.values():
        if found.suffix and path.suffix == found.suffix and path.is_file():
            return found
    return None


def find_export(path):
    """Returns the path of an exported model: a file, a version, or the newest version in a folder.

    Args:
        path: path of an exported model, of a folder of versions, or of a run.

    Raises:
        FileNotFoundError: if there is none.
    """
    path = Path(path)
    if format_of(path) is not None:
        return path
    for folder in (path, path / "export"):
        versions = [found.parent for found in folder.glob("*/saved_model.pb")]
        numbered = [version for version in versions if version.name.isdecimal()]
        if numbered:
            return max(numbered, key=lambda version: int(version.name))
        files = [found for found in sorted(folder.glob("*.*")) if format_of(found) is not None]
        if len(files) == 1:
            return files[0]
        if files:
            listed = ", ".join(file.name for file in files)
            raise UsageError(f"{folder} has several exported models ({listed}); name one of them.")
    raise FileNotFoundError(f"{path} has no exported model; `kerascnn export RUN` writes one.")
