"""Builds the pages of every language, and fails on any warning.

    python docs/build_site.py build/site

The guides are executed unless their outputs are in the cache (`build/notebooks`).
"""

import os
import shutil
import sys
from pathlib import Path

from sphinx.cmd.build import build_main

DOCS = Path(__file__).resolve().parent
LANGUAGES = ("en", "ja")


def build(out, languages=LANGUAGES):
    """Builds `out/LANGUAGE/index.html`; returns 0 if nothing was wrong."""
    # The guides run `kerascnn` as a reader does who has activated the virtual environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command does
    for language in languages:
        shutil.rmtree(out / language, ignore_errors=True)  # no page of an earlier build stays
        trees = ["-d", str(out.parent / "doctrees" / language)]
        status = build_main(["-W", "-q", *trees, str(DOCS / language), str(out / language)])
        if status:
            return status
    shutil.rmtree(out / "jupyter_execute", ignore_errors=True)  # the guides as notebooks
    return 0


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]).resolve()))
