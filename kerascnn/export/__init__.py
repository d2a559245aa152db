"""Models as files that other programs run."""

from kerascnn.export.saved_model import ExportError, export

__all__ = ["ExportError", "export"]
