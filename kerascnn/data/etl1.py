"""The digits of ETL-1, from the files that the Electrotechnical Laboratory distributes.

Written after the published format, and not tested on the files themselves, which each user must
request.
"""

import struct
from pathlib import Path

import numpy as np
import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.data.classification import ClassificationData
from kerascnn.data.splits import SPLITS

# The M-type record: number, character, sheet, six codes, serial number, four codes, four bytes of
# position and levels, 4 unused bytes, 64x63 pixels of 4 bits, 4 unused bytes.
_RECORD = struct.Struct(">H2sH6BI4H4B4x2016s4x")
_CHARACTER, _SHEET, _PIXELS = 1, 2, 18
_SHAPE = (63, 64, 1)
DIGITS = "0123456789"


def etl1_files(folder):
    """Returns the ETL-1 files in a folder: `ETL1C_01` to `ETL1C_13`, or those that exist."""
    return sorted(path for path in Path(folder).glob("ETL1C_[0-9][0-9]") if path.is_file())


def etl1(folder, characters=DIGITS):
    """Reads handwritten characters of ETL-1, 63 pixels high and 64 wide, in 16 levels of gray.

    A tenth of the sheets is for validation and another tenth for testing, so no writer is in two
    splits.

    Args:
        folder: str or path of the folder with the files.
        characters: str, the characters to read; each is a class.

    Returns:
        `ClassificationData`.

    Raises:
        UsageError: if there are no such files, a file is truncated, or no file has a character.

    Source: [ETL Character Database](http://etlcdb.db.aist.go.jp/)
    """
    files = etl1_files(folder)
    if not files:
        raise UsageError(f"{folder} must have files of ETL-1, ETL1C_01 and so on; got none.")
    found = {split: ([], []) for split in SPLITS}
    for path in files:
        for character, sheet, image in _records(path):
            if len(character) == 1 and character in characters:
                images, labels = found[_split_of(sheet)]
                images.append(image)
                labels.append(characters.index(character))
    present = {label for _, labels in found.values() for label in labels}
    missing = [name for label, name in enumerate(characters) if label not in present]
    if missing:
        raise UsageError(
            f"{folder} must have files with the characters {characters!r}; "
            f"{''.join(missing)!r} are in none of {', '.join(path.name for path in files)}."
        )
    arrays = {
        split: (np.reshape(images, (-1, *_SHAPE)).astype(np.uint8), np.array(labels, np.int64))
        for split, (images, labels) in found.items()
    }
    return ClassificationData(
        name=str(Path(folder).resolve()),
        class_names=tuple(characters),
        stored_shape=_SHAPE,
        elements={
            split: tf.data.Dataset.from_tensor_slices(pair) for split, pair in arrays.items()
        },
        decode=lambda image, label: (image, label),
        num_examples={split: len(labels) for split, (_, labels) in arrays.items()},
    )


def _records(path):
    """Yields `(character, sheet, uint8 image)` of a file."""
    content = path.read_bytes()
    if len(content) % _RECORD.size:
        raise UsageError(
            f"{path} must consist of records of {_RECORD.size} bytes; got {len(content):,} bytes: "
            "unpack it again."
        )
    for fields in _RECORD.iter_unpack(content):
        packed = np.frombuffer(fields[_PIXELS], np.uint8)
        levels = np.stack([packed >> 4, packed & 15], axis=-1).reshape(_SHAPE)
        yield fields[_CHARACTER].decode("ascii", "replace").strip(), fields[_SHEET], 17 * levels


def _split_of(sheet):
    return {8: "validation", 9: "test"}.get(sheet % 10, "train")
