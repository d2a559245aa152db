"""The reference pages name everything that is public."""

import re
from pathlib import Path

import pytest

import kerascnn

API = Path(__file__).resolve().parents[1] / "docs" / "api"


@pytest.mark.parametrize("package", [name for name in kerascnn.__all__ if name[0] != "_"])
def test_every_public_name_has_its_place(package):
    listed = re.findall(rf"::: kerascnn\.{package}\.(\w+)", (API / f"{package}.md").read_text())
    module = getattr(kerascnn, package)
    assert listed == [name for name in module.__all__ if callable(getattr(module, name))]
