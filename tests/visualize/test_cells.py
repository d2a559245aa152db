import numpy as np
import pytest

from kerascnn import visualize
from kerascnn.models import create_model


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


def test_responses_have_a_row_for_each_layer():
    model = create_model("neocognitron_1980")
    figure = visualize.responses(model, np.eye(16, dtype="float32")[..., None], "one")
    names = [text.get_text() for text in figure.texts if text.get_text() != "one"]
    assert names == ["images", *(f"stage{i}_{kind}_cells" for i in (1, 2, 3) for kind in "sc")]
    assert len(figure.axes) == 1 + 6 * 24


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
