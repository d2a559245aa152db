"""Error messages for the values of masks, each with the option that fixes it."""

from collections import Counter

from kerascnn.data.mask_pairs import listed
from kerascnn.data.mask_reading import colors_found, hexadecimal
from kerascnn.ops.ignored import IGNORED

_MOST = 12
# A value of a blurred mask is a class value if at least this fraction of the pixels has it.
_SHARE = 0.02
_APART = 16
_NAMES = {
    0x000000: "black",
    0xFFFFFF: "white",
    0xFF0000: "red",
    0x00FF00: "lime",
    0x0000FF: "blue",
    0xFFFF00: "yellow",
    0x00FFFF: "cyan",
    0xFF00FF: "magenta",
    0x808080: "gray",
    0x800000: "maroon",
    0x008000: "green",
    0x000080: "navy",
    0x808000: "olive",
    0x800080: "purple",
    0x008080: "teal",
}


def sentence_without_classes(root, raws):
    """Returns the error message for masks without class names.

    Args:
        root: path of the folder.
        raws: list of `RawMask`, of the first masks.
    """
    sentence = (
        f"There is no {root / 'classes.txt'}, which must name the classes, one per line, in the "
        "order of the masks' values."
    )
    if not raws:
        return sentence
    counts = _total(raws)
    if any(raw.colored for raw in raws):
        return (
            f"{sentence} The masks have colors ({colors_found(_colors(raws))}): "
            f"{color_line(_colors(raws))} also names the classes."
        )
    values = drawn_values(counts, any(raw.jpeg for raw in raws))
    values = [value for value in values if value != IGNORED or len(values) == 2]
    if len(values) < 2 or len(values) > _MOST:
        return f"{sentence} Make it: `seq 0 {max(values, default=1)} > {root / 'classes.txt'}`."
    words = ",".join(f"class{i}={value}" for i, value in enumerate(values))
    return (
        f"{sentence} The masks have the values {_and(values)}: `--mask-values '{words}'` also "
        "names the classes."
    )


def sentence_for_colors(raws, table):
    """Returns the error message for colored masks without class colors.

    Args:
        raws: `{path: RawMask}`.
        table: `ClassTable`.
    """
    path, raw = next((path, raw) for path, raw in raws.items() if raw.colored)
    colors = _colors(raws.values())
    jpeg = "; in a JPEG, blurred colors are mapped to the nearest one" if raw.jpeg else ""
    return (
        f"{path} must have a class index in every pixel, in one channel or as a palette index; "
        f"got an image of mode {raw.mode} with colors ({colors_found(colors)}){jpeg}. Give "
        f"each class its color, in {table.path.name} (`name #rrggbb` in each line) or with "
        f"{color_line(colors)}."
    )


def color_line(counts):
    """Returns the option that reads colors, ready to paste.

    Args:
        counts: `{0xrrggbb: pixels}`.
    """
    total = sum(counts.values())
    order = sorted(counts, key=counts.get, reverse=True)
    if len(order) > _MOST:  # blurred
        order = [color for color in order if counts[color] >= _SHARE * total] or order[:_MOST]
        order = _apart(order)
    words = [
        f"{_NAMES.get(color, f'color{i}')}={hexadecimal(color)}" for i, color in enumerate(order)
    ]
    return f"`--mask-colors '{','.join(words)}'`"


def palette_sentence(root, raws, table):
    """Returns the error message if palettes differ between files, or `None`."""
    meaning = {}
    for path, raw in raws.items():
        for number, color in raw.palette.items():
            other, known = meaning.setdefault(number, (path, color))
            if known != color:
                line = color_line(_colors(raws.values()))
                return (
                    f"The palettes of the masks of {root} must be the same; got "
                    f"{hexadecimal(known)} for the number {number} in {other} and "
                    f"{hexadecimal(color)} in {path}. Read them by color: {line}."
                )
    return None


def sentence_for_strays(root, strays, raws, reading, table):
    """Returns the error message for values without a class.

    Args:
        root: path of the folder.
        strays: `{path: (RawMask, numbers or colors without a class)}`.
        raws: `{path: RawMask}` of all masks.
        reading: `MaskReading`.
        table: `ClassTable`.
    """
    classes = len(table.names)
    write = str if reading.colors is None else hexadecimal
    found = [
        f"{' and '.join(map(write, wrong[:5]))} in {path}" for path, (_, wrong) in strays.items()
    ]
    if reading.colors is not None:
        known = ", ".join(f"{hexadecimal(color)}" for color in list(reading.colors)[:5])
        return (
            f"Masks must have the colors of the {classes} classes ({known} ...); got "
            f"{listed(found)}. Add them, or map each pixel to the nearest one: "
            f"`--mask-colors '{_words(table.names, reading.colors, hexadecimal)},nearest'`."
        )
    if reading.values is not None:
        return (
            f"Masks must have the values {_and(list(reading.values)[:_MOST])}, or 255 for ignored "
            f"pixels; got {listed(found)}. Add them, or map each pixel to the nearest one: "
            f"`--mask-values '{_words(table.names, reading.values, str)},nearest'`."
        )
    start = (
        f"Masks must have the numbers of {table.path.name}, 0 to {classes - 1}, or 255 for ignored "
        f"pixels; got {listed(found)}"
    )
    jpeg = [path for path, (raw, _) in strays.items() if raw.jpeg]
    counts = _total(raws.values())
    values = drawn_values(counts, bool(jpeg))
    line = f"`--mask-values {','.join(map(str, values))}`"
    if jpeg:
        return (
            f"{start}. {jpeg[0]} is a JPEG file, which blurs the values at borders: save masks as "
            f"PNG, or map each pixel to the nearest value with {line}."
        )
    if len(values) == classes:
        return f"{start}. If these are the classes in the order of {table.path.name}: {line}."
    if set(values) - {IGNORED} <= set(range(classes + 1)):
        return (
            f"{start}. If 0 is not a class and classes start at 1, ignore 0: "
            f"`sed -i '1i void' {table.path}`."
        )
    if len(values) > max(classes, _MOST):
        main = drawn_values(counts, blurred=True)
        return (
            f"{start}. There are {len(values)} values; if they come from resizing, map each pixel "
            f"to the nearest one: `--mask-values {','.join(map(str, main))},nearest`."
        )
    words = ",".join(f"class{i}={value}" for i, value in enumerate(values[:_MOST]))
    return f"{start}. Name the classes of all values: `--mask-values '{words}'`."


def sentence_for_one_class(root, train, table, found, reading):
    """Returns the error message for training masks with fewer than two classes.

    Args:
        root: path of the folder.
        train: list of properties of the pairs.
        table: `ClassTable`.
        found: set of classes.
        reading: `MaskReading`.
    """
    only = ", ".join(table.names[i] for i in sorted(found)) or "none"
    sentence = f"The training masks of {root} must show at least two classes; got {only}"
    raws = [pair.raw for pair in train if pair.raw is not None]
    values = sorted(_total(raws)) if raws else []
    if reading.values is None and reading.colors is None and IGNORED in values:
        hint = " (255 is ignored; a mask of two classes has 0 and 1)"
        if len(values) == 2:
            return f"{sentence}{hint}. To read 255 as a class: `--mask-values {_comma(values)}`."
        return f"{sentence}{hint}."
    return f"{sentence}. Look at them with `kerascnn segment check --data {root}`."


def drawn_values(counts, blurred):
    """Returns the sorted class values, without values that blurring introduced.

    Args:
        counts: `{number: pixels}`.
        blurred: bool.
    """
    if not blurred:
        return sorted(counts)
    total = sum(counts.values())
    order = sorted(counts, key=counts.get, reverse=True)
    kept = []
    for value in order:
        if counts[value] >= _SHARE * total and all(abs(value - other) > _APART for other in kept):
            kept.append(value)
    return sorted(kept)


def _apart(colors):
    kept = []
    for color in colors:
        parts = [(color >> shift) & 255 for shift in (16, 8, 0)]
        others = [[(other >> shift) & 255 for shift in (16, 8, 0)] for other in kept]
        if all(max(abs(a - b) for a, b in zip(parts, o, strict=True)) > 2 * _APART for o in others):
            kept.append(color)
    return kept


def _total(raws):
    total = Counter()
    for raw in raws:
        total.update(raw.counts)
    return total


def _colors(raws):
    """Returns the pixel count of each color, also for gray masks and palettes."""
    total = Counter()
    for raw in raws:
        for key, count in raw.counts.items():
            color = key if raw.colored else raw.palette.get(key, (key & 255) * 0x010101)
            total[color] += count
    return total


def _words(names, table, write):
    return ",".join(
        f"{names[number]}={write(value)}" for value, number in table.items() if number != IGNORED
    )


def _comma(values):
    return ",".join(map(str, values))


def _and(values):
    values = [str(value) for value in values]
    return " and ".join([", ".join(values[:-1]), values[-1]]) if len(values) > 1 else values[0]
