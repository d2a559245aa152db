"""Images of more than eight bits: how their values become pixels in [0, 255]."""

import numpy as np

# The default range of each type; no image would fill the range of 32-bit integers.
_OF_TYPE = {"uint16": (0, 65535), "float32": (0.0, 1.0)}
_NAMES = {"uint16": "16-bit", "int32": "32-bit integer", "float32": "float"}


def kind_of(image):
    """Returns the value type of a Pillow image: uint8, uint16, int32 or float32."""
    if image.mode == "F":
        return "float32"
    if image.mode.startswith("I"):
        # Pillow's mode of 16-bit PNG files depends on its version.
        sixteen = image.mode != "I" or image.format in ("PNG", "PPM")
        return "uint16" if sixteen else "int32"
    return "uint8"


def to_pixels(values, kind, ranges=None):
    """Scales values linearly to uint8.

    Args:
        values: array.
        kind: str, as `kind_of` returns it.
        ranges: optional `{kind: (low, high)}`, the values that become 0 and 255; values outside are
            clipped. By default the range of the type: 16-bit values lose their lower eight bits,
            floats must be in [0, 1], and 32-bit integers are an error.

    Returns:
        uint8 array of the same shape.

    Raises:
        ValueError: if values are not finite, or outside the range of their type.
    """
    given = (ranges or {}).get(kind)
    if given is None and kind == "uint16":
        return (values.clip(0, 65535).astype(np.uint16) >> 8).astype(np.uint8)
    check_finite(values)
    if given is None:
        given = _OF_TYPE.get(kind)
        if not in_range_of_type(kind, values.min(), values.max()):
            allowed = "; floats must be in [0, 1]" if given else ""
            raise ValueError(
                f"its {_NAMES[kind]} values are in [{values.min():g}, {values.max():g}]{allowed}, "
                "and no range of a training dataset is known"
            )
    low, high = given  # pyright: ignore[reportGeneralTypeIssues]
    scaled = (values.astype(np.float64) - low) * (255 / (high - low))
    return np.rint(scaled.clip(0, 255)).astype(np.uint8)


def in_range_of_type(kind, low, high):
    """Returns whether `[low, high]` is within the default range of the type."""
    bounds = _OF_TYPE.get(kind)
    return bounds is not None and bounds[0] <= low and high <= bounds[1]


def check_finite(values):
    """Raises an error if an array has NaN or infinity."""
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise ValueError("it has values that are not finite")


def range_of(kind, low, high):
    """Returns the range to scale a training dataset by, whose values span `[low, high]`.

    Non-negative integers are scaled by the number of bits that the largest one needs (at least
    eight). Floats are taken as values in [0, 1] or [0, 255] if they fill at least half of these
    ranges. Otherwise the range is the range of the training dataset.

    Returns:
        pair `(low, high)`, or `None` for the range of the type.
    """
    if kind == "uint16" and high > 32767:
        return None
    if kind in ("uint16", "int32") and low >= 0 and high < 65536:
        return 0, 2 ** max(8, int(high).bit_length()) - 1
    if kind == "float32" and low >= 0:
        for top in (1.0, 255.0):
            if top / 2 <= high <= top:
                return 0.0, top
    return (float(low), float(high)) if high > low else (float(low), float(low) + 1)


def sentence(kind, bounds):
    """Returns a description of how values are scaled."""
    if bounds is None:
        low, high = _OF_TYPE[kind]
    else:
        low, high = bounds
    return f"{_NAMES[kind]} values from {low:g} to {high:g} are scaled to 0 to 255"
