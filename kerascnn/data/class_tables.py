"""Files that name the classes of masks: `classes.txt` and the files of published datasets."""

import csv
import re
from dataclasses import dataclass
from pathlib import Path

from kerascnn.arguments import UsageError


@dataclass(frozen=True)
class ClassTable:
    """The classes of masks.

    Args:
        path: path of the file.
        names: class names, in the order of the class indices.
        colors: optional tuple of 0xrrggbb in the same order.
    """

    path: Path
    names: tuple[str, ...]
    colors: tuple[int, ...] | None = None


def class_table(folders):
    """Returns the class table of the first folder that has one, or `None`.

    Supports `classes.txt` (a name in each line, or `name #rrggbb`), `labelmap.txt` (CVAT),
    `label_colors.txt` (CamVid), `class_dict.csv` (name, r, g, b) and `objectInfo150.txt` (ADE20K).

    Raises:
        UsageError: if the file does not have the expected format.
    """
    readers = {
        "classes.txt": _lines,
        "labelmap.txt": _labelmap,
        "label_colors.txt": _camvid,
        "class_dict.csv": _class_dict,
        "objectInfo150.txt": _ade20k,
    }
    for folder in folders:
        for name, reader in readers.items():
            path = folder / name
            if path.is_file():
                names, colors = reader(path, _text(path))
                return _checked(path, names, colors)
    return None


def _text(path):
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} must be UTF-8 text ({error}). Convert it: `iconv -f LATIN1 -t UTF-8 {path}`."
        ) from error


def _checked(path, names, colors):
    names = [name.strip() for name in names]
    while names and not names[-1] and not colors:
        names.pop()
    if "" in names or len(set(names)) < len(names) or not names:
        raise UsageError(
            f"{path} must have a different name in every line; got {', '.join(names) or 'nothing'}."
        )
    if colors and len(set(colors)) < len(colors):
        raise UsageError(f"{path} must have a different color in every line.")
    return ClassTable(path, tuple(names), tuple(colors) if colors else None)


def _lines(path, text):
    lines = text.splitlines()
    matches = [re.fullmatch(r"\s*(.*\S)[\s,]+#([0-9a-fA-F]{6})\s*", line) for line in lines]
    if not any(matches):
        return lines, None
    lines = [line for line in lines if line.strip()]
    matches = [match for match in matches if match]
    if len(matches) < len(lines):
        raise UsageError(
            f"{path} must have a color in every line or in none; got {len(matches)} colors in "
            f"{len(lines)} lines. Write each as `name #rrggbb`."
        )
    return [match[1] for match in matches], [int(match[2], 16) for match in matches]


def _labelmap(path, text):
    rows = [line.split(":") for line in text.splitlines() if line.strip() and line[0] != "#"]
    return [row[0] for row in rows], [_rgb(path, row[1].split(",")) for row in rows if len(row) > 1]


def _camvid(path, text):
    rows = [line.split(None, 3) for line in text.splitlines() if line.strip()]
    return [row[3] if len(row) > 3 else "" for row in rows], [_rgb(path, row[:3]) for row in rows]


def _class_dict(path, text):
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if row]
    rows = [row for row in rows if len(row) >= 4 and row[1].isdigit()]
    return [row[0] for row in rows], [_rgb(path, row[1:4]) for row in rows]


def _ade20k(path, text):
    rows = [line.split("\t") for line in text.splitlines() if line.strip()]
    return [row[-1].split(",")[0].strip() for row in rows if row[0].strip().isdigit()], None


def _rgb(path, words):
    try:
        red, green, blue = (int(word) for word in words)
    except ValueError as error:
        raise UsageError(
            f"{path} must have three numbers for each color; got {' '.join(words)!r}."
        ) from error
    return red << 16 | green << 8 | blue
