"""Turns the Markdown of our docstrings into the reStructuredText that Sphinx reads."""

import re

_CODE = re.compile(r"`([^`]+)`")
# An address may have parentheses, as some of doi.org do.
_LINK = re.compile(r"\[([^\]]+)\]\((https?://(?:[^()\s]|\([^()\s]*\))+)\)")
_BLOCK = ".. code-block:: text\n    :class: formula\n\n"
_SECTION = re.compile(r"^[A-Z][\w ]+:$")


def setup(app):
    """Runs the conversion before napoleon, whose priority is 500."""
    app.connect("autodoc-process-docstring", _process, priority=400)
    return {"parallel_read_safe": True}


def _process(app, what, name, obj, options, lines):
    lines[:] = to_rst("\n".join(lines)).split("\n")


def to_rst(text):
    """Returns a docstring in reStructuredText.

    Args:
        text: str, with code in single backquotes, links and tables as in Markdown, formulas and
            code in paragraphs that are indented by four columns, and sections of Google's style.

    Returns:
        str.
    """
    found, in_section = [], False
    for paragraph in re.split(r"\n[ \t]*\n", text):
        if _SECTION.match(paragraph.split("\n")[0]):
            in_section = True
        if ">>>" in paragraph:
            found.append(paragraph)
        elif paragraph.lstrip().startswith("|"):
            found.append(_table(paragraph))
        elif not in_section and paragraph.startswith("    "):
            found.append(f"{_BLOCK}{paragraph}")
        else:
            found.append(_inline(paragraph))
    return "\n\n".join(found)


def _inline(paragraph):
    # A link may be broken between lines; its text must not be.
    joined = _LINK.sub(
        lambda link: f"\0{' '.join(link[1].split())} <{link[2]}>\1",
        re.sub(r"\[[^\]]+\]\(", lambda text: " ".join(text[0].split()), paragraph),
    )
    code = _CODE.sub(lambda code: f"``{' '.join(code[1].split())}``", joined)
    return code.replace("\0", "`").replace("\1", "`__")


def _table(paragraph):
    indent = " " * (len(paragraph) - len(paragraph.lstrip()))
    head, _, *body = [line.strip().strip("|").split("|") for line in paragraph.splitlines()]
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for cells in (head, *body):
        for number, cell in enumerate(cells):
            lines.append(f"   {'  -' if number else '* -'} {_inline(cell.strip())}")
    return "\n".join(indent + line for line in lines)
