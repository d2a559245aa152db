"""Colors of masks."""

import numpy as np

from kerascnn.arguments import UsageError

# The same as `kerascnn.data.IGNORED`, which is not imported, so that figures need no Keras.
IGNORED = 255

# Number of red, green and blue values to choose colors from.
_LEVELS = 12
# A neutral color for the first class, which is often the background.
_FIRST = (70, 116, 185)
# Red marks errors, so no class is red.
RED = (230, 20, 20)


def palette(count: int) -> np.ndarray:
    """Returns distinguishable colors, each as different as possible from the colors before it.

    The first colors are the same for every `count`. Black is reserved for ignored pixels, and red
    for errors.

    Args:
        count: int, from 1 to 255.

    Returns:
        uint8 array of shape `(count, 3)`.

    Raises:
        ValueError: for any other `count`.

    Example:
        >>> import kerascnn
        >>> kerascnn.visualize.palette(32).shape
        (32, 3)
    """
    if not 1 <= count <= IGNORED:
        raise UsageError(f"`count` must be from 1 to {IGNORED}; got count={count}.")
    levels = np.linspace(0, 255, _LEVELS).round()
    colors = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), axis=-1).reshape(-1, 3)
    places = _oklab(colors / 255)
    # Almost black would look like ignored pixels, almost white like the page, and a glaring color
    # would stand out from the others.
    lightness, chroma = places[:, 0], np.hypot(places[:, 1], places[:, 2])
    usable = (lightness > 0.42) & (lightness < 0.93) & (chroma < 0.23)
    colors, places = colors[usable], places[usable]
    black, red, first = _oklab(np.array([(0, 0, 0), RED, _FIRST]) / 255)
    chosen = [_distances(places, first).argmin()]
    nearest = np.minimum(_distances(places, black), _distances(places, red))
    while len(chosen) < count:
        nearest = np.minimum(nearest, _distances(places, places[chosen[-1]]))
        chosen.append(nearest.argmax())
    return colors[chosen].astype(np.uint8)


def colorize(mask: np.ndarray, colors: np.ndarray) -> np.ndarray:
    """Converts a mask to colors.

    Args:
        mask: int array of shape `(height, width)`, class indices, or 255 for ignored pixels; or a
            bool array for two classes.
        colors: uint8 array of shape `(classes, 3)`.

    Returns:
        uint8 array of shape `(height, width, 3)`, black for ignored pixels.

    Raises:
        ValueError: if a class has no color, or the mask has floats.

    Example:
        >>> import numpy as np
        >>> from kerascnn.visualize import colorize
        >>> colorize(np.array([[1, 255]]), np.array([[9, 9, 9], [250, 0, 0]], "uint8")).tolist()
        [[[250, 0, 0], [0, 0, 0]]]
    """
    mask, colors = np.asarray(mask), np.asarray(colors, np.uint8)
    if mask.dtype == bool:
        mask = mask.astype(np.uint8)
    if not np.issubdtype(mask.dtype, np.integer):
        raise UsageError(f"`mask` must be an array of ints; got the dtype {mask.dtype}.")
    wrong = mask[(mask != IGNORED) & ((mask < 0) | (mask >= len(colors)))]
    if wrong.size:
        raise UsageError(
            f"`mask` must have class indices from 0 to {len(colors) - 1}, or {IGNORED}; "
            f"got {wrong[0]}."
        )
    table = np.zeros((IGNORED + 1, 3), np.uint8)
    table[: len(colors)] = colors
    return table[mask]


def blend(
    image: np.ndarray, mask: np.ndarray, colors: np.ndarray, opacity: float = 0.5
) -> np.ndarray:
    """Blends a mask with its image; ignored pixels show the image unchanged.

    Args:
        image: uint8 array of shape `(height, width, channels)` with one channel or three.
        mask: int array of shape `(height, width)`, class indices, or 255 for ignored pixels; or a
            bool array for two classes.
        colors: uint8 array of shape `(classes, 3)`.
        opacity: float, from 0 (only the image) to 1 (only the mask).

    Returns:
        uint8 array of shape `(height, width, 3)`.

    Raises:
        ValueError: if a class has no color, or the mask has floats.

    Example:
        >>> import numpy as np
        >>> from kerascnn.visualize import blend
        >>> image = np.full((1, 2, 1), 100, "uint8")
        >>> blend(image, np.array([[0, 255]]), np.array([[200, 0, 0]], "uint8")).tolist()
        [[[150, 50, 50], [100, 100, 100]]]
    """
    alpha = np.where(np.asarray(mask) == IGNORED, 0, opacity)[..., np.newaxis]
    mixed = (1 - alpha) * np.asarray(image) + alpha * colorize(mask, colors)
    return mixed.round().astype(np.uint8)


def _distances(places, place):
    return np.linalg.norm(places - place, axis=1)


def _oklab(colors):
    """Converts to Oklab: Ottosson, 2020, https://bottosson.github.io/posts/oklab/."""
    linear = np.where(colors > 0.04045, ((colors + 0.055) / 1.055) ** 2.4, colors / 12.92)
    cones = linear @ [
        [0.4122214708, 0.2119034982, 0.0883024619],
        [0.5363325363, 0.6806995451, 0.2817188376],
        [0.0514459929, 0.1073969566, 0.6299787005],
    ]
    return np.cbrt(cones) @ [
        [0.2104542553, 1.9779984951, 0.0259040371],
        [0.7936177850, -2.4285922050, 0.7827717662],
        [-0.0040720468, 0.4505937099, -0.8086757660],
    ]
