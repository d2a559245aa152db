"""Draws the image of the README, `docs/images/front.png`, from three runs.

    kerascnn demo
    kerascnn segment train --out runs/scenes
    kerascnn upscale train --out runs/photos
    python docs/draw_front_picture.py runs docs/images/front.png

All images come with scikit-learn.
"""

import sys
from pathlib import Path

import keras
import numpy as np
from matplotlib.figure import Figure

import kerascnn

_DIGITS = 4
_DETAIL = (slice(150, 222), slice(255, 351))


def classified(run):
    """Yields digits of the test, and the classes that the model gives them."""
    model = keras.saving.load_model(run / "model.keras")
    data = kerascnn.data.load_classification("digits", image_size=28)
    images = next(iter(data.pipeline("test", batch_size=_DIGITS)))[0].numpy()
    for image, logits in zip(images, model.predict(images, verbose=0), strict=True):
        yield image, f"{data.class_names[logits.argmax()]}"


def segmented(run):
    """Yields the test scene with the most digits, and its segmentation."""
    model = keras.saving.load_model(run / "model.keras")
    data = kerascnn.data.load_segmentation("scenes")
    _, image, _ = max(data.examples("test"), key=lambda example: len(np.unique(example[2])))
    mask = np.concatenate(list(kerascnn.inference.segment(model, image))).argmax(axis=-1)
    yield image, "image"
    yield kerascnn.visualize.blend(image, mask, kerascnn.visualize.palette(11), 0.7), "segmented"


def upscaled(run):
    """Yields a detail of the test image, upscaled three times in two ways."""
    model = keras.saving.load_model(run / "model.keras")
    _, image, _ = next(kerascnn.data.load_upscaling("photos").examples("test"))
    found = kerascnn.inference.compare_with_bicubic(model, image)
    yield found.bicubic[_DETAIL], "enlarged 3 times: bicubic"
    yield found.upscaled[_DETAIL], "enlarged 3 times: ESPCN"


def draw(runs):
    """Returns the figure: a column for each run."""
    figure = Figure(figsize=(9, 4.6), dpi=110, layout="constrained")
    columns = figure.subfigures(1, 3, width_ratios=(1, 1, 1.25))
    for column, command, shape, images in (
        (columns[0], "kerascnn demo", (2, 2), classified(runs / "demo")),
        (columns[1], "kerascnn segment train", (2, 1), segmented(runs / "scenes")),
        (columns[2], "kerascnn upscale train", (2, 1), upscaled(runs / "photos")),
    ):
        column.suptitle(command, family="monospace", fontsize=10)
        for axes, (image, title) in zip(column.subplots(*shape).flat, images, strict=True):
            axes.imshow(image, cmap="gray", interpolation="nearest")
            axes.set_title(title, fontsize=9)
            axes.axis("off")
    return figure


if __name__ == "__main__":
    draw(Path(sys.argv[1])).savefig(sys.argv[2])
