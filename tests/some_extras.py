"""Checks what an installation with only some extras does: imports, use, and errors for the others.

    python tests/some_extras.py                    # after pip install .
    python tests/some_extras.py apps jax serve     # after pip install '.[jax,serve]'

With `--hide`, the packages of the other extras count as not installed even where they are. Needs no
pytest.
"""

import contextlib
import importlib
import importlib.machinery
import io
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PACKAGES = {
    # Keras and TensorFlow bring the others, such as `rich`.
    "apps": ("PIL", "matplotlib", "pydantic", "sklearn", "tensorflow_datasets", "typer"),
    "coco": ("pycocotools",),
    "docs": ("furo", "myst_nb", "sphinx", "sphinx_copybutton"),
    "export": ("ai_edge_litert", "onnx", "onnxruntime", "openvino", "tf2onnx"),
    "fonts": ("matplotlib_fontja",),
    "jax": ("jax",),
    "quantize": ("nncf",),
    "ray": ("ray",),
    "serve": (
        "httptools",
        "httpx",
        "prometheus_client",
        "python_multipart",
        "starlette",
        "uvicorn",
    ),
    "test": (
        "_pytest",
        "basedpyright",
        "build",
        "hypothesis",
        "pytest",
        "ruff",
        "tritonclient",
        "xdist",
    ),
    "torch": ("torch",),
    "torchvision": ("torch", "torchvision"),
}


FILES = {"onnx": "model.onnx", "litert": "model.tflite", "openvino": "model.xml"}


def hide(names):
    """Lets Python find no package of these names, in this process."""

    class OtherPackages(importlib.machinery.PathFinder):
        """Finds what is on the path except the hidden packages."""

        @classmethod
        def find_spec(cls, name, path=None, target=None):
            return None if name in names else super().find_spec(name, path, target)

    place = sys.meta_path.index(importlib.machinery.PathFinder)
    sys.meta_path[place] = OtherPackages


def error_of(*arguments, status):
    """The sentence that the command `kerascnn` prints to standard error."""
    from kerascnn_apps.cli import run

    with contextlib.redirect_stderr(io.StringIO()) as stream:
        found = run(list(arguments))
    assert found == status, (found, stream.getvalue())
    return stream.getvalue()


def check_imports(extras):
    import kerascnn
    import kerascnn_apps

    for package in (kerascnn, kerascnn_apps):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            extra = _extra_of(module.name)
            if extra is None or extra in extras:
                importlib.import_module(module.name)


def _extra_of(module):
    """The extra without which a module cannot be imported."""
    if module == "kerascnn_apps.serve.on_ray":
        return "ray"
    if module.startswith("kerascnn_apps.serve."):
        return "serve"
    is_runtime = module.startswith("kerascnn.export.") and module.rpartition(".")[2] in FILES
    return "export" if is_runtime else None


def check_missing_apps():
    """Layers and models are there, and what else is wanted says how to get it."""
    import kerascnn

    assert kerascnn.models.create_model("lenet5").output_shape == (None, 10)
    print(kerascnn.summary(tiny_model()))
    for name in ("data", "visualize", "inference", "training", "tasks", "runs"):
        sentence = ""
        try:
            getattr(kerascnn, name)
        except ModuleNotFoundError as error:
            sentence = str(error)
        assert sentence.endswith("pip install 'kerascnn[apps]'."), (name, sentence)
    from kerascnn_apps.entry import main

    sentence = ""
    try:
        main()
    except SystemExit as end:
        sentence = str(end)
    assert sentence.startswith("kerascnn: The command needs typer, which"), sentence


def check_missing_backend(name):
    sentence = f"kerascnn: The backend {name} is not installed: pip install 'kerascnn[{name}]'.\n"
    for task in ("classify", "segment", "upscale"):
        error = error_of(task, "train", "--backend", name, "--out", "unused", status=1)
        assert error == sentence, error
    # Keras reads the environment when it is loaded, so this takes a new process.
    result = subprocess.run(
        [sys.executable, __file__, *sys.argv[1:], "--models"],
        env={**os.environ, "KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (1, sentence), result.stderr


def check_missing_serve():
    error = error_of("serve", "unused", status=1)
    assert error.startswith("kerascnn: `kerascnn serve` needs "), error
    assert error.endswith(": pip install 'kerascnn[serve]'.\n"), error


def check_missing_ray():
    error = error_of("serve", "unused", "--ray", "local", status=1)
    sentence = "`kerascnn serve --ray` needs ray: pip install 'kerascnn[ray]'."
    assert error == f"kerascnn: {sentence}\n", error


def tiny_model():
    import keras

    import kerascnn

    inputs = keras.Input((8, 8, 4))
    model = keras.Model(inputs, kerascnn.layers.GroupConv2D(4, 3, groups=2)(inputs))
    model(keras.ops.ones((1, 8, 8, 4)))  # Keras exports no model that was never called
    return model


def check_missing_export():
    """The sentence names the packages, and what installs them."""
    from kerascnn.export import MissingRuntimeError, export

    for kind, file in FILES.items():
        sentence = ""
        with tempfile.TemporaryDirectory() as folder:
            try:
                export(tiny_model(), Path(folder) / file, format=kind)
            except MissingRuntimeError as error:
                sentence = str(error)
        assert any(name in sentence for name in PACKAGES["export"]), sentence
        assert sentence.endswith(': pip install "kerascnn[export]".'), sentence


def check_backend(name):
    program = """
import keras, kerascnn
y = kerascnn.layers.GroupConv2D(4, 3, groups=2)(keras.ops.ones((1, 8, 8, 4)))
print(keras.backend.backend(), tuple(y.shape))
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "KERAS_BACKEND": name},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.stdout == f"{name} (1, 6, 6, 4)\n", result.stderr


def check_export():
    from kerascnn.export import export

    for name in PACKAGES["export"]:
        importlib.import_module(name)
    with tempfile.TemporaryDirectory() as folder:
        for kind, file in FILES.items():
            assert export(tiny_model(), Path(folder) / file, format=kind).bytes, kind


def check_serve():
    from starlette.testclient import TestClient

    from kerascnn.export import export, upscaling_serving
    from kerascnn.models import create_model
    from kerascnn_apps.serve.plan import Plan

    with tempfile.TemporaryDirectory() as folder:
        model = create_model("espcn_x2")
        version = export(model, Path(folder) / "export", serving=upscaling_serving(model))
        with TestClient(Plan({"espcn": version.path}).app()) as client:
            assert client.get("/readyz").status_code == 200
    assert "has no exported model" in error_of("serve", "unused", status=2)


def main(extras, hidden, lists_models):
    if hidden:
        others = {
            name for extra, names in PACKAGES.items() if extra not in extras for name in names
        }
        hide(others.difference(*(PACKAGES[extra] for extra in extras)))
    if lists_models:
        from kerascnn_apps.cli import run

        return run(["models"])
    if "apps" not in extras:
        check_missing_apps()
        return 0
    for name in ("jax", "torch"):
        if name in extras:
            check_backend(name)
        else:
            check_missing_backend(name)
    check_imports(extras)
    if "serve" in extras:
        check_serve()
        if "ray" not in extras:
            check_missing_ray()
    else:
        check_missing_serve()
    if "export" in extras:
        check_export()
    else:
        check_missing_export()
    for extra in {"coco", "docs", "fonts", "quantize", "test", "torchvision"} & set(extras):
        for name in PACKAGES[extra]:
            importlib.import_module(name)
    return 0


if __name__ == "__main__":
    options = {"--hide", "--models"} & set(sys.argv)
    sys.exit(
        main(
            [word for word in sys.argv[1:] if word not in options],
            "--hide" in options,
            "--models" in options,
        )
    )
