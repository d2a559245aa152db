"""Checks of images and masks after all of them were read once."""

import warnings

from kerascnn.arguments import UsageError
from kerascnn.data.mask_errors import (
    palette_sentence,
    sentence_for_colors,
    sentence_for_one_class,
    sentence_for_strays,
)
from kerascnn.data.mask_pairs import listed
from kerascnn.data.mask_reading import hexadecimal
from kerascnn.data.scan import FolderWarning
from kerascnn.ops.ignored import IGNORED


def mask_turns(root, known):
    """Returns the EXIF orientation to apply to each mask: its image's, its own, or none.

    A mask may match the upright image, or the pixels as they are stored.
    """
    turns, unclear, clear = {}, [], set()
    for pair, found in known.items():
        orientation = found.image.orientation
        upright_size = found.image.shape[:2]
        own = found.orientation
        if own != 1:
            size = found.size[::-1] if own >= 5 else found.size
            turns[pair] = own if size == upright_size else 1
        elif orientation == 1:
            turns[pair] = 1
        else:
            stored = upright_size[::-1] if orientation >= 5 else upright_size
            if stored == upright_size:
                unclear.append(pair)
                turns[pair] = orientation
            else:
                turns[pair] = orientation if found.size == stored else 1
                clear.add(turns[pair] != 1)
    if unclear and clear == {False}:
        turns |= dict.fromkeys(unclear, 1)
    if unclear:
        how = "stored, and rotated with them" if clear != {False} else "displayed upright"
        warnings.warn(
            f"{len(unclear):,} images of {root} are rotated by EXIF, and their sizes do not show "
            f"whether the masks match the image as stored or as displayed upright; they are read "
            f"as {how}: {listed([pair[0] for pair in unclear])}. Look at `show-data`; if this is "
            "wrong, rotate the files themselves: `mogrify -auto-orient FILE`.",
            FolderWarning,
            stacklevel=3,
        )
    return turns


def check_sizes(known, turns):
    """Raises an error if a mask, after rotation, has another size than its image."""
    wrong = []
    for pair, found in known.items():
        size = found.size[::-1] if turns[pair] >= 5 else found.size
        if size != found.image.shape[:2]:
            wrong.append((pair[1], size, found.image.shape[:2]))
    if wrong:
        found = [f"{_times(got)} for {_times(wanted)} in {mask}" for mask, got, wanted in wrong]
        mask, _, wanted = wrong[0]
        raise UsageError(
            f"A mask must have the size of its image; got {listed(found)}. Resize it without new "
            f"values: `mogrify -filter point -resize {_times(wanted)}! {mask}`."
        )


def check_values(root, known, reading, table):
    """Raises an error if masks have colors, palettes or values without a class."""
    colored = {pair[1]: found.raw for pair, found in known.items() if found.raw is not None}
    if reading.colors is None:
        if any(raw.colored for raw in colored.values()):
            raise UsageError(sentence_for_colors(colored, table))
        sentence = palette_sentence(root, colored, table) if reading.values is None else None
        if sentence:
            raise UsageError(sentence)
    strays = {pair[1]: (found.raw, found.strays) for pair, found in known.items() if found.strays}
    if strays:
        raise UsageError(sentence_for_strays(root, strays, colored, reading, table))


def _times(size):
    return f"{size[1]}x{size[0]}"


def check_training(root, pairs):
    """Raises an error if there are not enough images to train on."""
    if not pairs["validation"] or not pairs["train"]:
        raise UsageError(
            f"{root} must have at least two training images, so that one can be held out for "
            f"validation, or a validation split; got {len(pairs['train'])} that can be read, and "
            f"{len(pairs['validation'])} for validation."
        )


def check_occurrence(root, train, table, ignored, published, reading):
    """Returns the classes that do not occur, which is an error except in published datasets.

    Raises:
        UsageError: if fewer than two classes occur, or, except in published datasets, any class
            does not.
    """
    scored = {i for i, name in enumerate(table.names) if name not in ignored}
    found = {int(value) for pair in train for value in pair.present} & scored
    if len(found) < 2:
        raise UsageError(sentence_for_one_class(root, train, table, found, reading))
    empty = [table.names[i] for i in sorted(scored - found)]
    if empty and not published:
        where = table.path if table.path.is_file() else root
        ignore = " ".join(f"--ignore '{name}'" for name in empty)
        raise UsageError(
            f"Every class of {where} must occur in a training mask, or be ignored; "
            f"got no {', '.join(empty)} in {len(train)} masks. Ignore them: `{ignore}`."
        )
    return tuple(empty)


def masks_read(known, reading, table, ignored):
    """Returns a description of how masks are read."""
    names = table.names
    drawn = any(found.raw is None for found in known.values())
    if drawn:
        text = f"drawn from annotations, {len(names)} classes with the background"
    elif reading.colors:
        items = [
            f"{hexadecimal(key)} {names[i]}" for key, i in reading.colors.items() if i != IGNORED
        ]
        shown, more = items[:4], f" and {len(items) - 4} more" if len(items) > 4 else ""
        text = f"by color, {', '.join(shown)}{more}"
    elif reading.values:
        items = [f"{value} {names[i]}" for value, i in reading.values.items() if i != IGNORED]
        more = f" and {len(items) - 4} more" if len(items) > 4 else ""
        text = f"by number, {', '.join(items[:4])}{more}"
    else:
        shown = [f"{number} {name}" for number, name in enumerate(names[:4])]
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        text = f"by number, {', '.join(shown)}{more}, 255 is ignored"
    if not drawn and (reading.nearest or any(found.raw.jpeg for found in known.values())):
        text += ", each pixel mapped to the nearest one"
    if ignored:
        text += f"; ignored: {', '.join(ignored)}"
    return text
