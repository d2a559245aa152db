"""Export of models to other runtimes."""

from kerascnn.export.classification import classification_serving
from kerascnn.export.exporting import Exported, export
from kerascnn.export.formats import MissingRuntimeError
from kerascnn.export.loading import ExportedModel, load_exported
from kerascnn.export.network import UnfoldedExportWarning
from kerascnn.export.reconstruction import reconstruction_serving
from kerascnn.export.segmentation import segmentation_serving
from kerascnn.export.serving import ExportError, Serving
from kerascnn.export.upscaling import upscaling_serving

__all__ = [
    "ExportError",
    "Exported",
    "ExportedModel",
    "MissingRuntimeError",
    "Serving",
    "UnfoldedExportWarning",
    "classification_serving",
    "export",
    "load_exported",
    "reconstruction_serving",
    "segmentation_serving",
    "upscaling_serving",
]


def __dir__():
    return __all__
