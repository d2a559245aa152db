import keras
import numpy as np
import pytest
from keras import layers

import kerascnn
from kerascnn import visualize
from kerascnn.arguments import UsageError
from kerascnn.models import create_model
from kerascnn.visualize.cell_fields import field_of_cells
from tests.models.check_model import channels_first


def sequence(*parts, input_shape=(21, 18, 1)):
    return keras.Sequential([keras.Input(input_shape), *parts])


def test_a_cell_of_an_edge_prefers_that_edge():
    """Brighter on the right, and in the middle of what the cell sees."""
    images = np.zeros((2, 28, 28, 1), "float32")
    images[0, :, 17:] = 1
    images[1, :, 9:] = 1
    model = create_model("neocognitron", cells=2)
    figure = visualize.preferred_patterns(model, "stage1_s_cells", images, best=2, title="edges")
    assert len(figure.axes) == 16
    pattern = figure.axes[0].images[0].get_array()
    assert pattern.shape == (11, 11)
    rows = pattern.mean(0)
    assert np.argmax(np.diff(rows)) in (4, 5)
    assert rows[:4].max() < 0.1 < 0.6 < rows[7:].min()


def test_patterns_of_resized_images_are_cut_from_the_images():
    """A cell that sees a single pixel of the resized image, three times two of the image."""
    image = np.random.default_rng(0).uniform(0.4, 0.5, (48, 32, 1)).astype("float32")
    image[15:18, 8:10] = 1
    center = np.zeros((3, 3, 1, 1))
    center[1, 1] = 1
    conv = layers.Conv2D(1, 3, padding="same", use_bias=False, name="cells")
    model = sequence(layers.Resizing(16, 16), conv, input_shape=(48, 32, 1))
    conv.set_weights([center])
    figure = visualize.preferred_patterns(model, "cells", image[None], best=1)
    pattern = figure.axes[0].images[0].get_array()
    np.testing.assert_allclose(pattern, image[12:21, 6:12, 0], rtol=1e-6)


def test_patterns_of_cells_for_images_of_another_size():
    """A cell of the first stage sees 5 of 16 pixels, in which a line at a side is resized too."""
    images = np.zeros((1, 48, 48, 1), "float32")
    images[:, :, 21:24] = 1
    model = create_model("neocognitron_1980", (48, 48, 1))
    figure = visualize.preferred_patterns(model, "stage1_s_cells", images, best=3)
    for axes in figure.axes:
        pattern = axes.images[0].get_array()
        assert pattern.shape == (15, 15)
        if pattern.any():
            assert sorted(np.flatnonzero(pattern.any(0)) % 3) == [0, 1, 2]


# With kernels of ones, a cell responds to a white pixel exactly if it is in the cell's field.
@pytest.mark.parametrize(
    "parts",
    [
        [layers.ZeroPadding2D(((2, 0), (1, 3))), layers.Conv2D(1, (3, 5), strides=2)],
        [layers.Conv2D(1, 3, padding="same"), layers.MaxPooling2D(2), layers.Conv2D(1, 3)],
        [layers.AveragePooling2D(3, 2, padding="same"), layers.MaxPooling2D((1, 2))],
        [layers.Cropping2D(((3, 0), (1, 2))), layers.Conv2D(1, 3, dilation_rate=2)],
        [layers.ReLU(), layers.SeparableConv2D(1, 3, padding="same"), layers.AveragePooling2D(2)],
        [kerascnn.layers.PadToMultiple2D(4), layers.MaxPooling2D(4)],
        [kerascnn.layers.PadToMultiple2D(4, margin=(3, 1)), layers.MaxPooling2D(4)],
        [kerascnn.layers.GroupConv2D(1, 5, 2, padding=((3, 1), (2, 2))), layers.MaxPooling2D()],
        [kerascnn.layers.MaxPoolWithArgmax2D(3, 2), layers.Conv2D(1, 2)],
        [layers.Resizing(7, 6, interpolation="nearest"), layers.MaxPooling2D(3, 1)],
    ],
)
def test_fields_are_what_a_cell_sees(parts):
    x = keras.Input((21, 18, 1))
    y = x
    for part in parts:
        y = keras.tree.flatten(part(y))[0]
    model = keras.Model(x, y)
    model.set_weights([np.full(w.shape, float(len(w.shape) > 1)) for w in model.weights])
    found = keras.ops.convert_to_numpy(model(np.eye(21 * 18).reshape(-1, 21, 18, 1)))
    offset, strides, size = field_of_cells(model, parts[-1])
    for cell in ((2, 1), (2, 2)):
        seen = found[:, *cell, 0].reshape(21, 18) > 0
        for axis, where in enumerate(np.nonzero(seen)):
            middle = offset[axis] + strides[axis] * cell[axis]
            if parts[0].name.startswith("resizing"):  # "nearest" reads one pixel of each three
                assert abs((where.min() + where.max()) / 2 - middle) <= 1
                continue
            assert (where.min(), where.max()) == (
                middle - (size[axis] - 1) / 2,
                middle + (size[axis] - 1) / 2,
            )


@pytest.mark.parametrize(
    "part",
    [
        layers.Resizing(8, 8, crop_to_aspect_ratio=True, name="unknown"),
        layers.UpSampling2D(name="unknown"),
        layers.RandomFlip(name="unknown"),
        kerascnn.layers.SqueezeExcite(1, name="unknown"),
    ],
)
def test_patterns_need_known_positions(part):
    model = sequence(layers.Conv2D(4, 3), part, layers.Conv2D(4, 3, name="cells"))
    with pytest.raises(UsageError, match="sequence of layers with known windows .*got 'unknown'"):
        visualize.preferred_patterns(model, "cells", np.zeros((1, 21, 18, 1)))


def test_patterns_need_a_sequence():
    model = create_model("resnet20")
    with pytest.raises(
        UsageError, match="up to 'stage2_block1_conv1'; got 'residual_sum' in 'resnet20'"
    ):
        visualize.preferred_patterns(model, "stage2_block1_conv1", np.zeros((1, 32, 32, 3)))


def test_responses_have_a_row_for_each_layer():
    model = create_model("neocognitron_1980")
    figure = visualize.responses(model, np.eye(16, dtype="float32")[..., None], "one")
    names = [text.get_text() for text in figure.texts if text.get_text() != "one"]
    assert names == ["images", *(f"stage{i}_{kind}_cells" for i in (1, 2, 3) for kind in "sc")]
    assert len(figure.axes) == 1 + 6 * 24


def test_responses_of_layers_with_several_outputs():
    image = np.random.default_rng(0).uniform(size=(4, 6, 1)).astype("float32")
    x = keras.Input((4, 6, 1))
    model = keras.Model(x, kerascnn.layers.MaxPoolWithArgmax2D(2)(x)[0])
    planes = [axes.images[0].get_array() for axes in visualize.responses(model, image).axes]
    assert len(planes) == 2
    np.testing.assert_array_equal(planes[1], image.reshape(2, 2, 3, 2).max((1, 3)))


def test_responses_of_a_model_with_a_single_layer_of_planes():
    image = np.random.default_rng(0).uniform(size=(28, 28, 1)).astype("float32")
    figure = visualize.responses(create_model("mlp"), image)
    assert [text.get_text() for text in figure.texts] == ["images"]
    np.testing.assert_array_equal(figure.axes[0].images[0].get_array(), image[..., 0])


def test_channels_first():
    images = np.random.default_rng(0).uniform(size=(2, 24, 28, 3)).astype("float32")
    model = create_model("neocognitron", (24, 28, 3), cells=2)
    figures = [visualize.responses(model, images[0])]
    figures.append(visualize.preferred_patterns(model, "stage1_s_cells", images))
    with channels_first():
        turned = create_model("neocognitron", (3, 24, 28), cells=2)
        turned.set_weights(model.get_weights())
        found = [visualize.responses(turned, images[0])]
        found.append(visualize.preferred_patterns(turned, "stage1_s_cells", images))
    for figure, expected in zip(found, figures, strict=True):
        for axes, others in zip(figure.axes, expected.axes, strict=True):
            pair = [part.images[0].get_array() for part in (axes, others)]
            np.testing.assert_allclose(*pair, rtol=1e-4, atol=1e-5)


def test_births_are_drawn_for_each_stage():
    history = [
        {"stage": "stage2_s_cells", "images": 100, "cells": 80, "errors": 0},
        {"stage": "logits", "images": 100, "cells": 40, "errors": 30},
        {"stage": "logits", "images": 200, "cells": 60, "errors": 40},
    ]
    figure = visualize.births(history)
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["stage2_s_cells: cells", "logits: cells", "logits: misread so far"]
    assert figure.axes[1].lines[0].get_ydata().tolist() == [0, 40, 60]


def test_layers_without_planes():
    model = create_model("neocognitron")
    with pytest.raises(ValueError, match="must have planes of cells; got 'logits'"):
        visualize.preferred_patterns(model, "logits", np.zeros((1, 28, 28, 1)))
