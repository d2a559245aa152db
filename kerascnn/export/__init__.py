"""Models as files that other programs run."""

from kerascnn.export.classifier import export
from kerascnn.export.segmenter import export_segmenter
from kerascnn.export.upscaler import export_upscaler
from kerascnn.export.versions import ExportError

__all__ = [
    "ExportError",
    "export",
    "export_segmenter",
    "export_upscaler",
]
