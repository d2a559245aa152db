"""Settings for every test and doctest, and which tests an installation can run."""

import gc
import importlib.util
import os
import time
from collections import Counter

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# The command does the same; CI also runs the layers without oneDNN.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")

# What the tests import of each extra in setup.cfg.
EXTRAS = {
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
    "torch": ("torch",),
    "torchvision": ("torch", "torchvision"),
}


# Modules of an extra, whose documentation is no test where it is not installed
collect_ignore = [
    f"kerascnn/export/{module}.py"
    for module, package in {
        "litert": "ai_edge_litert",
        "onnx": "tf2onnx",
        "openvino": "openvino",
        "runtimes/litert": "ai_edge_litert",
        "runtimes/onnx": "onnxruntime",
        "runtimes/openvino": "openvino",
    }.items()
    if not importlib.util.find_spec(package)
]


def pytest_addoption(parser):
    """Adds the options that CI uses."""
    parser.addoption(
        "--all-extras",
        action="store_true",
        help="fail the tests whose extra is not installed, instead of skipping them",
    )
    parser.addoption(
        "--nightly", action="store_true", help="also run the tests with the marker `nightly`"
    )


def pytest_configure(config):
    """Registers the markers."""
    config.addinivalue_line(
        "markers", "extra(name): needs the extra `name` of setup.cfg; skipped where it is missing"
    )
    config.addinivalue_line("markers", "nightly: takes long; runs only with the option --nightly")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Leaves out what waits for the night, unless it is asked for; after `-k` and `-m`."""
    if config.getoption("--nightly"):
        return
    daily = _with_each_value([item for item in items if not item.get_closest_marker("nightly")])
    config.hook.pytest_deselected(items=list(set(items) - set(daily)))
    items[:] = daily


def _with_each_value(items):
    """Returns the tests; of those with several parameters, each value of each in one case.

    All combinations wait for the night.
    """
    cases = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], {})[item] = _values(item)
    kept = set()
    for values in cases.values():
        left = set().union(*values.values())
        while left:  # those with the most values that no other case has, so that few are needed
            item = max(values, key=lambda item: len(values[item] & left))
            kept.add(item)
            left -= values[item]
    return [item for item in items if item in kept]


def _values(item):
    """Returns the values that a case has of each `parametrize` and of each fixture, as text."""
    if not hasattr(item, "callspec"):
        return {"a test without parameters"}
    found, of_fixtures = set(), dict(item.callspec.params)
    for marker in item.iter_markers("parametrize"):
        names = marker.args[0] if marker.args else marker.kwargs["argnames"]
        names = names.replace(",", " ").split() if isinstance(names, str) else names
        found.add((*names, repr([item.callspec.params[name] for name in names])))
        for name in names:
            of_fixtures.pop(name, None)
    return found | {(name, repr(value)) for name, value in of_fixtures.items()}


def pytest_collection_finish():
    """Exempts the imported modules from garbage collection: they stay for good."""
    _freeze()


_FREEZE_SECONDS = 30
_frozen = 0.0


def pytest_runtest_logfinish():
    """Exempts now and then what is left after tests, such as the functions that TensorFlow caches.

    Millions of objects add up in a process; to search all of them for garbage takes seconds.
    """
    if time.monotonic() > _frozen + _FREEZE_SECONDS:
        _freeze()


def _freeze():
    global _frozen
    gc.collect()
    gc.freeze()
    _frozen = time.monotonic()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """Skips a test whose extra is not installed, or fails it under `--all-extras`."""
    for marker in item.iter_markers("extra"):
        (extra,) = marker.args
        if not all(importlib.util.find_spec(name) for name in EXTRAS[extra]):
            reason = f"needs the extra '{extra}': pip install 'kerascnn[{extra}]'"
            if item.config.getoption("--all-extras"):
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)


def pytest_terminal_summary(terminalreporter):
    """Lists the reasons of the skipped tests, each in one line."""
    reports = terminalreporter.stats.get("skipped", [])
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in reports)
    if reasons:
        terminalreporter.section("skipped")
    for reason, count in sorted(reasons.items()):
        terminalreporter.write_line(f"{count:5} {reason}")
