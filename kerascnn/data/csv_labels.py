"""CSV files with file names and labels."""

import csv
import re
import warnings

from kerascnn.arguments import UsageError
from kerascnn.data.class_layouts import ClassLayout
from kerascnn.data.file_tree import composed, find_images, is_junk
from kerascnn.data.scan import FolderWarning
from kerascnn.data.splits import SPLITS, split_of

_LABELS = ("label", "labels", "class", "classname", "classid", "category", "target", "breed")
_SPLITS = ("split", "set", "subset", "partition", "usage")
_TRIED = 50
_NAMED = 3


def csv_labels(root):
    """Reads images with labels from CSV files in the folder.

    The files have columns of file names and labels. A file name is a path below the folder, a name,
    or a name without suffix. Splits are in a column of that name, or in one table each
    (`train.csv`, `test.csv`).

    Returns:
        `ClassLayout`, or `None` if there is no such table.

    Raises:
        UsageError: if it is not clear which column is the label, or a file has two labels.
    """
    paths = sorted(
        path
        for path in root.iterdir()
        if path.suffix.lower() in (".csv", ".tsv") and path.is_file() and not is_junk(path.name)
    )
    if not paths:
        return None
    found = find_images(root)
    index = _index(root, found.images)
    tables, labels, missing = [], {}, []
    for path in paths:
        table = _Table.read(path, index)
        if table is None:
            continue
        tables.append(path)
        for split, file, label in table.rows:
            image = _resolved(file, index)
            if image is None:
                missing.append(file)
            elif labels.setdefault(image, (split, label))[1] != label:
                raise UsageError(
                    f"{path} must have one label for each file; got {labels[image][1]!r} and "
                    f"{label!r} for {file}. Keep one of the rows: `grep -n {file} {path}`."
                )
    if not tables or _add_nothing(labels, found.images):
        return None
    return _layout(root, tables, labels, missing, found)


def _layout(root, tables, labels, missing, found):
    names = {label for _, label in labels.values()}
    class_names = sorted(names, key=_natural)
    if len(class_names) < 2:
        raise UsageError(
            f"{tables[0]} must have at least two different labels; got {class_names[0]!r}."
        )
    splits = {split for split, _ in labels.values()}
    if "train" not in splits:
        raise UsageError(
            f"{root} must have labels of training images; got only {', '.join(sorted(splits))} "
            f"({', '.join(path.name for path in tables)}). Rename the table to train.csv."
        )
    files = {split: [[] for _ in class_names] for split in SPLITS if split in splits}
    number = {name: i for i, name in enumerate(class_names)}
    for image, (split, label) in sorted(labels.items()):
        files[split][number[label]].append(image)
    if missing:
        first = ", ".join(missing[:_NAMED]) + (", ..." if len(missing) > _NAMED else "")
        warnings.warn(
            f"{len(missing):,} rows of {tables[0]} name files that are not in {root}: {first}.",
            FolderWarning,
            stacklevel=4,
        )
    notes = []
    unlabelled = [path for path in found.images if path not in labels]
    if unlabelled:
        notes = [
            f"{len(unlabelled):,} images without a label are left out; the first is "
            f"{unlabelled[0].relative_to(root)}"
        ]
    others = tuple(path for path in found.others if path not in tables)
    names = ", ".join(path.name for path in tables)
    sources = dict.fromkeys(files, names) if len(files) > 1 else {}
    layout = f"images with labels in {names}"
    return ClassLayout(layout, tuple(class_names), files, sources, others, tuple(notes))


class _Table:
    """A table with a column of files and one of labels; `rows` are (split, file, label)."""

    def __init__(self, rows):
        self.rows = rows

    @classmethod
    def read(cls, path, index):
        if "submission" in path.stem.casefold():  # an example of a submission
            return None
        rows = _cells(path)
        if not rows:
            return None
        head, body = rows[0], rows[1:]
        if any(_resolved(cell, index) for cell in head):  # no headings
            head, body = [""] * len(rows[0]), rows
        body = [row for row in body if len(row) == len(head)]
        if not body:
            return None
        columns = list(zip(*body, strict=True))
        file = next((i for i, column in enumerate(columns) if _names_files(column, index)), None)
        if file is None:
            return None
        headings = [re.sub(r"[\W_]+", "", name.casefold()) for name in head]
        split = next((i for i, name in enumerate(headings) if name in _SPLITS), None)
        if split is not None and not _are_splits(path, head[split], columns[split]):
            split = None
        label = _label_column(path, headings, columns, {file, split})
        if label is None:
            return None
        own = split_of(re.sub(r"[\W_]*(labels?|list|data|annotations)$", "", path.stem, flags=re.I))
        return cls(
            [
                (
                    (own or "train") if split is None else split_of(row[split].strip()),
                    row[file].strip(),
                    composed(row[label].strip()),
                )
                for row in body
                if row[label].strip()
            ]
        )


def _cells(path):
    try:
        text = path.read_text("utf-8-sig")
    except (UnicodeDecodeError, OSError):
        return []
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    return [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if row]


def _names_files(column, index):
    tried = [cell for cell in column if cell.strip()][:_TRIED]
    return bool(tried) and sum(_resolved(cell, index) is not None for cell in tried) * 2 > len(
        tried
    )


def _are_splits(path, heading, cells):
    """Returns whether a column has splits; some columns of such a heading have something else.

    Raises:
        UsageError: if only some of the cells are splits.
    """
    unknown = [cell.strip() for cell in cells if not split_of(cell.strip())]
    if len(unknown) == len(cells):
        return False
    if unknown:
        raise UsageError(
            f"{path} must have train, validation or test in each row of the column {heading!r}; "
            f"got {unknown[0]!r} in {len(unknown):,} of {len(cells):,} rows. Write one of the "
            "three there, or remove these rows."
        )
    return True


def _label_column(path, headings, columns, used):
    rest = [i for i in range(len(headings)) if i not in used]
    for name in _LABELS:
        for i in rest:
            if headings[i] == name:
                return i
    if len(rest) == 1:
        return rest[0]
    if not rest:
        return None
    few = [i for i in rest if 2 <= len(set(columns[i])) <= max(2, len(columns[i]) // 2)]
    if len(few) == 1:
        return few[0]
    raise UsageError(
        f"{path} must have a column `label`, because it has several columns besides the files "
        f"({', '.join(headings[i] or str(i + 1) for i in rest)}). Keep two columns: "
        f"`cut -d, -f1,2 {path}`, or name one `label`."
    )


def _index(root, images):
    """Returns `{name in some form: path}`; forms that fit several files are `None`."""
    index = {}
    for path in images:
        relative = path.relative_to(root).as_posix()
        for form in {relative, path.name, path.stem, relative.removesuffix(path.suffix)}:
            form = composed(form)
            index[form] = path if index.get(form, path) == path else None
    return index


def _resolved(cell, index):
    cell = composed(cell.strip().replace("\\", "/").removeprefix("./"))
    return index.get(cell) or index.get(cell.rpartition("/")[2]) if cell else None


def _add_nothing(labels, images):
    """Returns whether the tables only repeat the folders: no splits, no choice of images."""
    if any(split != "train" for split, _ in labels.values()):
        return False
    pairs = {(path.parent, label) for path, (_, label) in labels.items()}
    folders = {folder for folder, _ in pairs}
    if any(path.parent in folders and path not in labels for path in images):
        return False
    return len(pairs) == len(folders) == len({label for _, label in pairs}) > 1


def _natural(name):
    """Numbers in their order, then words."""
    return (0, int(name), "") if re.fullmatch(r"-?\d+", name) else (1, 0, name)
