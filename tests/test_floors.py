"""The package has floors, and imports only go down."""

import ast
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOPS = {"kerascnn": "kerascnn", "apps": "kerascnn_apps"}

# From the bottom up. Parts of one floor do not import each other.
FLOORS = [
    ("arguments", "missing", "version"),
    ("geometry",),
    ("backend", "filters", "reference", "storage"),
    ("ops",),
    ("initializers",),
    ("layers",),
    ("losses",),
    ("metrics",),
    ("data", "models"),
    ("visualize",),
    ("inference",),
    ("export", "training"),
    ("tasks",),
    ("runs",),
    ("kerascnn",),  # the package itself, which opens the floors below to users
    ("kerascnn_apps",),
]
FLOOR_OF = {part: number for number, parts in enumerate(FLOORS) for part in parts}


def part_of(module):
    """Returns the part that a module belongs to, or `None` for modules of other packages."""
    top, _, rest = module.partition(".")
    if top == "kerascnn" and rest:
        # `from kerascnn import summary`: a name that the package itself defines
        part = rest.partition(".")[0]
        return part if part in FLOOR_OF else "kerascnn"
    return top if top in FLOOR_OF and top in TOPS.values() else None


def imported(source, package):
    """Returns the modules that a source text imports, at its top and inside of functions."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            name = "." * node.level + (node.module or "")
            base = importlib.util.resolve_name(name, package)
            found += [f"{base}.{alias.name}" for alias in node.names]
    return found


def offences(source, module, is_package=False):
    """Returns the imports of a module that do not go down, each as `from -> to`."""
    here = part_of(module)
    package = module if is_package else module.rpartition(".")[0]
    there = {name: part_of(name) for name in imported(source, package)}
    return [
        f"{module} -> {name}"
        for name, part in there.items()
        if part not in (None, here) and FLOOR_OF[part] >= FLOOR_OF[here]
    ]


def modules():
    """Yields the path, the name and the kind of every module of the package and the command."""
    for folder, top in TOPS.items():
        for path in sorted((ROOT / folder).rglob("*.py")):
            names = [top, *path.relative_to(ROOT / folder).with_suffix("").parts]
            is_package = names[-1] == "__init__"
            yield path, ".".join(names[:-1] if is_package else names), is_package


def test_no_import_runs_up():
    found = [
        offence
        for path, module, is_package in modules()
        for offence in offences(path.read_text(), module, is_package)
    ]
    assert not found


def test_every_part_is_on_a_floor():
    parts = (ROOT / "kerascnn").iterdir()
    found = {part.stem for part in parts if part.suffix in ("", ".py") and part.name[0] != "_"}
    assert found <= set(FLOOR_OF)


@pytest.mark.parametrize(
    "source",
    [
        "from kerascnn.layers import GroupConv2D",
        "from kerascnn import filters, layers",
        "import kerascnn.models",
        "import kerascnn",
        "from kerascnn import summary",
        "def convolve(x):\n    from kerascnn.layers import GroupConv2D\n    return GroupConv2D(x)",
        "if True:\n    import kerascnn_apps.files",
        "from ..layers import GroupConv2D",
        "from .. import layers",
    ],
)
def test_an_import_that_runs_up_is_found(source):
    assert len(offences(source, "kerascnn.ops.group_conv")) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from kerascnn.ops.shapes import times",
        "from kerascnn import filters",
        "from . import shapes",
        "import keras",
        "import kerascnn_other",
        "'from kerascnn.layers import GroupConv2D'",
    ],
)
def test_an_import_that_goes_down_is_none(source):
    assert not offences(source, "kerascnn.ops.group_conv")


def test_neighbors_do_not_import_each_other():
    for module, other in (("export", "training"), ("data", "models"), ("reference", "backend")):
        assert offences(f"import kerascnn.{other}.x", f"kerascnn.{module}.x")
        assert offences(f"import kerascnn.{module}.x", f"kerascnn.{other}.x")
