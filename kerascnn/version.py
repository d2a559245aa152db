"""The version of kerascnn."""

__version__ = "0.1.0"
