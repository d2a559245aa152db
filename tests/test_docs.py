"""The pages name everything that is public, and load nothing from other websites."""

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import kerascnn

DOCS = Path(__file__).resolve().parents[1] / "docs"
PAGES = list((DOCS / "en").rglob("*.md"))
FUNCTIONS = ["summary"]
SHORTCUTS = {"load_exported": "export"}  # which are on the page of the package
# All other public names of kerascnn itself are packages.
PACKAGES = [
    name for name in kerascnn.__all__ if name[0] != "_" and name not in (*FUNCTIONS, *SHORTCUTS)
] + ["models.rows", "training.errors", "training.learning"]


def extension(name, folder=DOCS / "extensions"):
    spec = importlib.util.spec_from_file_location(name, folder / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_shortcut_is_a_name_of_its_package():
    for name, package in SHORTCUTS.items():
        module = getattr(kerascnn, package)
        assert name in module.__all__
        assert getattr(kerascnn, name) is getattr(module, name)


def listed(package):
    """The names in the directives `public-names` of a package, on all pages."""
    name = re.escape(f"kerascnn.{package}")
    blocks = re.compile(rf"^```{{public-names}} {name}\n(.*?)^```", re.M | re.S)
    found = [block for page in PAGES for block in blocks.findall(page.read_text())]
    return " ".join(found).split()


@pytest.mark.parametrize("package", PACKAGES)
def test_every_public_name_has_its_place(package):
    module = importlib.import_module(f"kerascnn.{package}")
    # Modules in a package have tables of their own.
    names = [name for name in module.__all__ if not inspect.ismodule(getattr(module, name))]
    assert sorted(listed(package)) == sorted(names)


def test_functions_of_the_package_itself_have_their_place():
    for name in FUNCTIONS:
        page = (DOCS / "en" / "reference" / f"{name}.md").read_text()
        assert f".. autofunction:: kerascnn.{name}\n" in page


def test_every_page_is_in_a_table_of_contents():
    for page in PAGES:
        if page.name == "index.md":
            continue
        index = (page.parent / "index.md").read_text()
        assert re.search(rf"^{page.stem}$", index, re.MULTILINE), page


@pytest.mark.extra("docs")
def test_every_layer_has_its_operation_and_its_loops():
    names = extension("public_names")
    found = {}
    for name in kerascnn.layers.__all__:
        layer = getattr(kerascnn.layers, name)
        if isinstance(layer, type):  # not a function
            operations = names.operations_of(layer)
            loops = [loop for operation in operations for loop in names.loops_of(operation)]
            found[name] = operations, loops
    assert found["GroupConv2D"] == (["group_conv2d"], ["group_conv2d", "group_conv2d_backward"])
    assert found["PixelUnshuffle"] == (["pixel_unshuffle"], ["pixel_unshuffle"])
    assert not [name for name, links in found.items() if not all(links)]


@pytest.mark.extra("docs")
def test_markdown_of_docstrings_becomes_restructured_text():
    text = """Adds `a` to `b`.

For each `i` (see [Shi
et al., 2016](https://arxiv.org/abs/1609.05158), [Doe, 2003](https://doi.org/S0(02)6-8)),

    y[i] = a[i] + b[i]

| mode | order |
|---|---|
| `"DCR"` | TensorFlow's |

Args:
    a: tensor; `None`
        for zeros.

Example:
    >>> f"`{1}`"
    '`1`'
"""
    found = extension("docstrings").to_rst(text)
    assert "Adds ``a`` to ``b``." in found
    assert "`Shi et al., 2016 <https://arxiv.org/abs/1609.05158>`__, `Doe" in found
    assert "`Doe, 2003 <https://doi.org/S0(02)6-8>`__)," in found
    assert ".. code-block:: text\n    :class: formula\n\n    y[i] = a[i] + b[i]" in found
    assert '   * - ``"DCR"``\n     - TensorFlow\'s' in found
    assert '>>> f"`{1}`"' in found


@pytest.mark.extra("docs")
def test_pieces_of_an_output_are_joined_without_new_lines():
    pieces = [
        {"output_type": "stream", "name": "stdout", "text": text} for text in ("10 clas", "ses\n")
    ]
    (found,) = extension("streams").joined(pieces)
    assert found["text"] == "10 classes\n"


@pytest.mark.extra("docs")
@pytest.mark.parametrize(
    ("name", "text", "remote"),
    [
        ("a.html", '<script src="https://cdn.example/x.js"></script>', True),
        ("a.html", '<link rel="stylesheet" href="//cdn.example/x.css">', True),
        ("a.html", '<img src="http://cdn.example/x.png">', True),
        ("a.html", '<p style="background: url(https://cdn.example/x.png)">', True),
        ("a.css", "@font-face { src: url('https://cdn.example/x.woff2') }", True),
        ("a.css", '@import "https://cdn.example/x.css";', True),
        ("a.html", '<a href="https://keras.io">Keras</a><img src="x.png">', False),
        ("a.html", '<link rel="canonical" href="https://site.example/a.html">', False),
        ("a.css", "a { background: url(data:image/svg+xml;base64,AA) } /* https://x */", False),
    ],
)
def test_assets_of_other_computers_are_found(tmp_path, name, text, remote):
    (tmp_path / name).write_text(text)
    assert bool(extension("offline").remote_assets(tmp_path)) is remote


@pytest.mark.extra("docs")
def test_outputs_of_guides_are_kept_for_one_state_of_the_package(monkeypatch, tmp_path):
    site = extension("site_settings", DOCS)
    before = site.settings("en")["nb_execution_cache_path"]
    assert site.settings("ja")["nb_execution_cache_path"] == before
    with monkeypatch.context() as patch:
        patch.setattr(site, "version", lambda name: "another")
        assert site.settings("en")["nb_execution_cache_path"] != before
    (tmp_path / "kerascnn").mkdir()
    (tmp_path / "kerascnn" / "changed.py").touch()
    monkeypatch.setattr(site, "ROOT", tmp_path)
    assert Path(site.settings("en")["nb_execution_cache_path"]).name != Path(before).name
