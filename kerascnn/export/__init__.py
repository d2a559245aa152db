"""Models as files that other programs run."""

from kerascnn.export.classification import classification_serving
from kerascnn.export.reconstruction import reconstruction_serving
from kerascnn.export.saved_model import export
from kerascnn.export.segmentation import segmentation_serving
from kerascnn.export.serving import ExportError, Serving
from kerascnn.export.upscaling import upscaling_serving

__all__ = [
    "ExportError",
    "Serving",
    "classification_serving",
    "export",
    "reconstruction_serving",
    "segmentation_serving",
    "upscaling_serving",
]


def __dir__():
    return __all__
