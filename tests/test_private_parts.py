"""What is private in a library is used behind one wall: one file per library."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
WALL = {"kerascnn/backend/private_keras.py", "kerascnn/backend/private_tensorflow.py"}
FILES = [path for top in ("kerascnn", "apps") for path in (ROOT / top).rglob("*.py")]
MODULES = re.compile(r"keras\.src|tensorflow\.python|_pywrap")
BY_NAME = re.compile(r"(attr\(|_found\()[^)]*[\"']_[a-z]")


def tree_of(path):
    return ast.parse(path.read_text())


# `os._exit`, and a method of every named tuple
PUBLIC = ("_exit", "_replace")


def is_private(name):
    return name.startswith("_") and not name.startswith("__") and name not in PUBLIC


def names_of_ours():
    """Functions, classes, variables and attributes that kerascnn defines."""
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                yield node.name
            elif isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Store):
                yield node.attr if isinstance(node, ast.Attribute) else node.id


def uses_private_parts(path, ours):
    attributes = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    text = path.read_text()
    return bool(
        {name for name in attributes if is_private(name)} - ours
        or MODULES.search(text)
        or BY_NAME.search(text)
    )


def test_private_parts_of_libraries_are_used_behind_the_wall_only():
    ours = set(names_of_ours())
    found = {path.relative_to(ROOT).as_posix() for path in FILES if uses_private_parts(path, ours)}
    assert found == WALL
