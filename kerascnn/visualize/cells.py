"""Plots of the preferred patterns and the responses of a Neocognitron's cells."""

import math
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from kerascnn.arguments import UsageError
from kerascnn.models.operations import data_format_of
from kerascnn.visualize.cell_fields import field_of_cells, first_output

# Number of planes of a layer to plot.
_PLANES = 64


def preferred_patterns(
    model: keras.Model, layer: str, images: np.ndarray, best: int = 5, title: str = ""
) -> Figure:
    """Plots the preferred pattern of each cell of a layer.

    A pattern is the mean of the image patches with the strongest responses of the cell, weighted by
    the responses. The patches have the size of the cell's receptive field.

    Args:
        model: `keras.Model` whose layers up to `layer` form a sequence, as in `"neocognitron"`.
            Their windows must be known, as in layers of kerascnn and in Keras's convolutions,
            pooling and `Resizing`.
        layer: str, the name of a layer of cells: `SCells2D` or `ShuntingSCells2D`.
        images: float array of shape `(count, height, width, channels)` with values in [0, 1].
        best: int, number of patches to average.
        title: str.

    Returns:
        `matplotlib.figure.Figure`, with at most 64 cells, in the order of the planes.

    Raises:
        ValueError: if the layer has no planes, or its position in the images is unknown.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("neocognitron", cells=4)
        >>> images = np.random.default_rng(0).uniform(size=(2, 28, 28, 1)).astype("float32")
        >>> figure = kerascnn.visualize.preferred_patterns(model, "stage2_s_cells", images)
        >>> len(figure.axes)
        4
    """
    images = np.asarray(images, "float32")
    cells = model.get_layer(layer)
    if len(first_output(cells).shape) != 4:
        raise UsageError(f"`layer` must have planes of cells; got {layer!r}, whose output is flat.")
    offset, stride, size = field_of_cells(model, cells)
    answers = _planes_of(model, [cells], images)[layer]
    pads = [(math.ceil(side), math.ceil(side)) for side in size]
    padded = np.pad(images.mean(-1), ((0, 0), *pads))
    patterns = []
    for plane in np.moveaxis(answers, -1, 0)[:_PLANES]:
        places = np.argsort(-plane.ravel(), kind="stable")[:best]
        part, weight = np.zeros([math.ceil(side) for side in size]), 1e-9
        for image, *place in zip(*np.unravel_index(places, plane.shape), strict=True):
            top, left = (
                round(first + step * at - (side - 1) / 2) + pad
                for first, step, at, side, (pad, _) in zip(
                    offset, stride, place, part.shape, pads, strict=True
                )
            )
            answer = plane[image, *place]
            window = padded[image, top : top + part.shape[0], left : left + part.shape[1]]
            if window.shape == part.shape:
                part, weight = part + answer * window, weight + answer
        patterns.append(part / weight)
    return _montage([(layer, patterns)], title, upper=1.0)


def responses(model: keras.Model, image: np.ndarray, title: str = "") -> Figure:
    """Plots the responses of the planes of every layer to one image.

    Args:
        model: `keras.Model` on images.
        image: float array of shape `(height, width, channels)` with values in [0, 1].
        title: str.

    Returns:
        `matplotlib.figure.Figure`: a row of at most 64 planes for each layer, brighter for stronger
        responses; each layer has its own scale.

    Example:
        >>> import numpy as np
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("neocognitron", cells=4)
        >>> figure = kerascnn.visualize.responses(model, np.ones((28, 28, 1), "float32"))
        >>> [text.get_text() for text in figure.texts][:2]
        ['images', 'contrast']
    """
    layers = [
        layer
        for layer in model.layers
        if len(first_output(layer).shape) == 4 and not isinstance(layer, keras.layers.ZeroPadding2D)
    ]
    planes = _planes_of(model, layers, np.asarray(image, "float32")[np.newaxis])
    rows = [(name, list(np.moveaxis(found[0], -1, 0)[:_PLANES])) for name, found in planes.items()]
    return _montage(rows, title)


def _planes_of(model: keras.Model, layers: list[Any], images: np.ndarray) -> dict[str, np.ndarray]:
    """Returns `{name: responses}` of layers, channels last like the images."""
    if data_format_of(model) == "channels_first":
        images = np.moveaxis(images, -1, 1)
    outputs = {layer.name: first_output(layer) for layer in layers}
    found = keras.Model(model.inputs[0], outputs).predict_on_batch(images)
    return {layer.name: _channels_last(found[layer.name], layer, model) for layer in layers}


def _channels_last(planes: Any, layer: Any, model: keras.Model) -> np.ndarray:
    planes = np.asarray(keras.ops.convert_to_numpy(planes))
    data_format = getattr(layer, "data_format", data_format_of(model))
    return np.moveaxis(planes, 1, -1) if data_format == "channels_first" else planes


def _montage(rows, title, upper=None, columns=16):
    """Plots planes of layers, `columns` in a row, with the name of the layer above them."""
    lines = [math.ceil(len(planes) / columns) for _, planes in rows]
    figure = Figure(figsize=(columns * 0.6, sum(lines) * 0.6 + 0.3 * len(rows) + 0.4), dpi=120)
    height = sum(lines) + 0.5 * len(rows) + 0.6
    top = 0.6
    if title:
        figure.suptitle(title, parse_math=False)
    for (name, planes), count in zip(rows, lines, strict=True):
        figure.text(0.01, 1 - (top + 0.35) / height, name, fontsize=8, parse_math=False)
        top += 0.5
        largest = upper or max(max(np.max(plane) for plane in planes), 1e-9)
        for i, plane in enumerate(planes):
            line, column = divmod(i, columns)
            box = (
                column / columns + 0.003,
                1 - (top + line + 0.94) / height,
                1 / columns - 0.006,
                0.88 / height,
            )
            axes = figure.add_axes(box)
            axes.imshow(plane, cmap="gray", vmin=0, vmax=largest, interpolation="nearest")
            axes.axis("off")
        top += count
    return figure
