"""What an installation promises."""

import importlib
import inspect
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests import fresh_process

ROOT = Path(__file__).resolve().parents[1]


def python(program):
    result = fresh_process.run(program)
    assert result.returncode == 0, result.stderr
    return result


def test_import_prints_nothing_sets_nothing_and_loads_no_app_library():
    result = python("""
import sys
import keras
import numpy
settings = lambda: (
    keras.config.floatx(), keras.config.epsilon(), keras.config.image_data_format(),
    keras.config.dtype_policy().name, keras.config.backend(), numpy.random.get_state()[1].tolist(),
)
before, modules = settings(), set(sys.modules)
print("keras is here", flush=True)
print("keras is here", file=sys.stderr, flush=True)
import kerascnn
assert settings() == before
loaded = {name.partition(".")[0] for name in set(sys.modules) - modules}
heavy = {"sklearn", "matplotlib", "PIL", "tensorflow_datasets", "rich", "typer", "requests"}
assert not loaded & heavy, loaded & heavy
""")
    assert result.stdout.partition("keras is here\n")[2] == ""
    assert result.stderr.partition("keras is here\n")[2] == ""


def test_everything_public_is_there():
    python("""
import kerascnn
public = {name: getattr(kerascnn, name) for name in kerascnn.__all__}
inside = {"models.rows": kerascnn.models.rows}
inside |= {f"training.{name}": getattr(kerascnn.training, name) for name in ("errors", "learning")}
for name, found in [*public.items(), *inside.items()]:
    for inner in getattr(found, "__all__", ()):
        assert getattr(found, inner).__doc__, inner
    if hasattr(found, "__all__"):
        assert dir(found) == sorted(found.__all__), name
    names = [name for name in getattr(found, "__all__", ()) if name[0].islower()]
    assert names == sorted(set(names))
try:
    kerascnn.nothing
except AttributeError as error:
    assert "nothing" in str(error)
else:
    raise AssertionError
""")


def test_an_untouched_model_file_loads_under_safe_mode_after_import(tmp_path):
    path = tmp_path / "model.keras"
    python(f"""
import keras, kerascnn
inputs = keras.Input((8, 8, 4))
x = kerascnn.layers.GroupConv2D(8, 3, groups=2)(inputs)
x = kerascnn.layers.Dropout(0.2)(kerascnn.layers.BatchNormalization()(x))
keras.Model(inputs, kerascnn.layers.PixelShuffle(2)(x)).save({str(path)!r})
""")
    python(f"import keras, kerascnn; keras.saving.load_model({str(path)!r}, safe_mode=True)")


def packages_of_the_tree():
    """Every folder with a module in it, whether or not it has an `__init__.py`."""
    return {
        ".".join(path.parent.relative_to(ROOT).parts).replace("apps", "kerascnn_apps", 1)
        for top in ("kerascnn", "apps")
        for path in (ROOT / top).rglob("*.py")
    }


def test_a_wheel_built_from_an_sdist_holds_the_packages_and_no_tests(tmp_path):
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(ROOT),
    ]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-2000:] + result.stderr[-2000:]
    (sdist,), (wheel,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(sdist) as archive:
        assert any(name.endswith("/LICENSE") for name in archive.getnames())
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {str(Path(name).parent).replace("/", ".") for name in names if name.endswith(".py")}
    assert packages == packages_of_the_tree()
    assert any(name.endswith("entry_points.txt") for name in names)
    assert "kerascnn/py.typed" in names


def unannotated(function, of_class):
    """The parameters of a function without an annotation, and `return`."""
    signature = inspect.signature(function)
    parameters = list(signature.parameters.values())[of_class:]
    names = [part.name for part in parameters if part.annotation is part.empty]
    return names + ["return"] * (signature.return_annotation is signature.empty)


def functions_of(cls):
    """The constructor, public methods and properties that a class defines itself."""
    for name, value in vars(cls).items():
        function = value.fget if isinstance(value, property) else value
        function = getattr(function, "__func__", function)
        public = not name.startswith("_") or name in ("__init__", "__call__")
        # A protocol gets its constructor from `typing`.
        if public and inspect.isfunction(function) and function.__module__ == cls.__module__:
            yield name, function, not isinstance(value, staticmethod)


ANNOTATED = [
    "data",
    "export",
    "geometry",
    "inference",
    "layers",
    "losses",
    "metrics",
    "models",
    "models.rows",
    "ops",
    "runs",
    "tasks",
    "training",
    "training.errors",
    "training.learning",
    "visualize",
]


@pytest.mark.parametrize("package", ANNOTATED)
def test_every_public_function_is_annotated(package):
    package = importlib.import_module(f"kerascnn.{package}")
    missing = {}
    for name in package.__all__:
        member = getattr(package, name)
        if inspect.isclass(member):
            for method, function, of_class in functions_of(member):
                missing[f"{name}.{method}"] = unannotated(function, of_class)
        elif callable(member):
            missing[name] = unannotated(member, of_class=False)
    assert not {name: parts for name, parts in missing.items() if parts}
