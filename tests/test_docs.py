"""The reference pages name everything that is public."""

import importlib
import re
from pathlib import Path

import pytest

import kerascnn

API = Path(__file__).resolve().parents[1] / "docs" / "api"
# All other public names of kerascnn itself are packages.
FUNCTIONS = ["summary"]
SHORTCUTS = {"load_exported": "export"}  # which are on the page of the package


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_public_function_has_its_page(function):
    listed = re.findall(r"^::: ([\w.]+)$", (API / f"{function}.md").read_text(), re.MULTILINE)
    assert listed[0] == f"kerascnn.{function}"
    for name in listed[1:]:  # the classes of what it returns
        module, _, returned = name.rpartition(".")
        assert module == getattr(kerascnn, function).__module__
        assert getattr(importlib.import_module(module), returned).__doc__


def test_a_shortcut_is_a_name_of_its_package():
    for name, package in SHORTCUTS.items():
        module = getattr(kerascnn, package)
        assert name in module.__all__
        assert getattr(kerascnn, name) is getattr(module, name)


@pytest.mark.parametrize(
    "package",
    [name for name in kerascnn.__all__ if name[0] != "_" and name not in (*FUNCTIONS, *SHORTCUTS)],
)
def test_every_public_name_has_its_place(package):
    page = (API / f"{package}.md").read_text()
    assert f"api/{package}.md" in (API.parents[1] / "mkdocs.yml").read_text()
    if re.search(rf"^::: (members of )?kerascnn\.{package}$", page, re.MULTILINE):
        return  # all that the module exports
    listed = re.findall(rf"::: kerascnn\.{package}\.(\w+)", page)
    module = getattr(kerascnn, package)
    assert listed == [name for name in module.__all__ if callable(getattr(module, name))]
