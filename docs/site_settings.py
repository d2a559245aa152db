"""Sphinx settings that the sites of all languages share; each language has its own pages."""

import hashlib
import importlib.util
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# A change of these changes what a guide prints.
_PACKAGES = ("tensorflow", "keras", "numpy", "matplotlib", "scikit-learn", "pillow")


def settings(language):
    """Returns the settings of `conf.py` for one language."""
    from kerascnn.version import __version__

    return {
        "project": "kerascnn",
        "author": "the kerascnn authors",
        "copyright": "the kerascnn authors, MIT license",
        "release": __version__,
        "language": language,
        "extensions": [
            "myst_nb",
            "sphinx.ext.autodoc",
            "sphinx.ext.mathjax",
            "sphinx.ext.napoleon",
            "sphinx.ext.viewcode",
            "sphinx_copybutton",
            "extensions.docstrings",
            "extensions.public_names",
            "extensions.offline",
            "extensions.streams",
        ],
        "exclude_patterns": ["**/.ipynb_checkpoints"],
        **_THEME,
        **_REFERENCE,
        "html_title": f"kerascnn {__version__}",
        "html_static_path": [str(_mathjax()), str(ROOT / "docs" / "static")],
        "html_css_files": ["formulas.css"],
        "mathjax_path": _mathjax().name,
        "nb_execution_mode": "cache",
        "nb_execution_cache_path": str(ROOT / "build" / "notebooks" / _state()),
        "nb_execution_in_temp": True,
        "nb_execution_raise_on_error": True,
        "nb_execution_show_tb": True,
        "nb_execution_timeout": 300,
        "nb_merge_streams": True,
        "nb_output_stderr": "remove",  # TensorFlow's log of its start
        "myst_enable_extensions": ["colon_fence", "dollarmath"],
        "myst_heading_anchors": 3,
    }


_THEME = {
    "html_theme": "furo",
    "html_copy_source": False,
    "html_show_sphinx": False,
    # A page that is opened from disk must not read other pages, which the excerpts need.
    "html_show_search_summary": False,
    "html_theme_options": {"navigation_with_keys": False},
    "copybutton_prompt_text": r">>> |\.\.\. |\$ ",
    "copybutton_prompt_is_regexp": True,
}

_REFERENCE = {
    "autodoc_member_order": "bysource",
    "autodoc_typehints": "none",  # the docstrings name the types, with their shapes
    "add_module_names": False,
    "python_maximum_signature_line_length": 72,
    "toc_object_entries_show_parents": "hide",
    "napoleon_numpy_docstring": False,
    "napoleon_use_rtype": False,
    "napoleon_use_admonition_for_examples": False,
    "napoleon_custom_sections": [
        ("Call arguments", "params_style"),
        "Input shape",
        "Output shape",
        "Reference",
    ],
}


def _mathjax():
    """The one file of MathJax that sets formulas as SVG, fonts included."""
    (folder,) = importlib.util.find_spec("sphinx-mathjax-offline").submodule_search_locations
    return Path(folder) / "static" / "mathjax" / "tex-svg.js"


def _state():
    """Names the state of the package and its libraries.

    The cache of the guides' outputs knows the cells alone: without this in its path, a change of
    the package would leave old outputs in the pages.
    """
    digest = hashlib.sha256()
    for folder in ("kerascnn", "apps"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    for name in _PACKAGES:
        digest.update(f"{name}={version(name)};".encode())
    return digest.hexdigest()[:16]
