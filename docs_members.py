"""A hook of mkdocs: `::: members of PACKAGE` lists what the package exports, in its own order.

Each member is named by the module that it is written in: mkdocstrings takes `kerascnn.ops.dropout`
for the module of that name.
"""

import ast
import re
from pathlib import Path


def on_page_markdown(markdown, **_):
    """Replaces the lines `::: members of PACKAGE` of a page."""
    return re.sub(r"^::: members of (\S+)$", _members, markdown, flags=re.MULTILINE)


def _members(match):
    package = Path(__file__).parent.joinpath(*match[1].split("."))
    tree = ast.parse((package / "__init__.py").read_text())
    modules = {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    (exported,) = (
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    documented = (name for name in exported if not name.isupper())  # constants have no docstring
    return "\n\n".join(f"::: {modules[name]}.{name}" for name in documented)
