"""Builds the pages of every language, and fails on any warning.

    python docs/build_site.py build/site

The guides are executed unless their outputs are in the cache (`build/notebooks`).
"""

import logging
import os
import shutil
import sys
import tempfile
from pathlib import Path

from forks import forking
from jupyter_cache import get_cache
from jupyter_cache.executors import load_executor
from site_settings import settings
from sphinx.cmd.build import build_main

DOCS = Path(__file__).resolve().parent
LANGUAGES = ("en", "ja")


def build(out, languages=LANGUAGES):
    """Builds `out/LANGUAGE/index.html`; returns 0 if nothing was wrong."""
    # The guides run Python as a reader does who has activated the virtual environment.
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # as the command does
    for language in languages:
        execute_guides(language)
        shutil.rmtree(out / language, ignore_errors=True)  # no page of an earlier build stays
        trees = ["-d", str(out.parent / "doctrees" / language)]
        status = build_main(["-W", "-q", *trees, str(DOCS / language), str(out / language)])
        if status:
            return status
    shutil.rmtree(out / "jupyter_execute", ignore_errors=True)  # the guides as notebooks
    return 0


def execute_guides(language):
    """Executes the guides into Sphinx's cache, as many at a time as there are processors.

    Sphinx alone executes one after the other. It executes a guide that fails here once more, and
    then reports the error.
    """
    options = settings(language)
    cache = get_cache(options["nb_execution_cache_path"])
    pages = {path: path.read_text() for path in (DOCS / language).rglob("*.md")}
    guides = [path for path, text in pages.items() if "file_format: mystnb" in text]
    # Commands take longest, so guides with many of them start first.
    for path in sorted(guides, key=lambda path: -pages[path].count("%%bash")):
        cache.add_nb_to_project(str(path), read_data={"type": "plugin", "name": "myst_nb_md"})
    if not cache.list_unexecuted():
        return
    logger = logging.getLogger("guides")
    logger.setLevel(logging.WARNING)
    executor = load_executor("temp-parallel", cache, logger)
    with tempfile.TemporaryDirectory() as folder, forking(Path(folder)):
        executor.run_and_cache(timeout=options["nb_execution_timeout"])


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1]).resolve()))
