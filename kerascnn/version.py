"""The one place that holds the version of kerascnn."""

__version__ = "0.1.0"
