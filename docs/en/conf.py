"""Sphinx's settings of the English pages."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from site_settings import settings

globals().update(settings("en"))
