import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib import font_manager
from matplotlib.ft2font import FT2Font

from kerascnn import visualize
from kerascnn.visualize import MissingFontWarning, fonts

NAMES = ["猫", "犬", "鳥"]
MATRIX = np.eye(3, dtype=int)


def labels_of(figure):
    figure.draw_without_rendering()
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


@pytest.mark.extra("fonts")
def test_names_are_drawn_in_a_font_that_has_them(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # Matplotlib warns of a glyph that is missing
        figure = visualize.confusion_matrix(MATRIX, NAMES)
        figure.savefig(tmp_path / "plot.png")
    label = figure.axes[0].get_yticklabels()[0]
    assert label.get_text() == "猫"
    families = label.get_fontproperties().get_family()
    path = next(path for path, family in fonts._fonts() if family == families[-1])
    assert ord("猫") in FT2Font(path).get_charmap()
    # Latin names keep their font.
    latin = visualize.confusion_matrix(MATRIX, ["cat", "dog", "bird"]).axes[0].get_yticklabels()[0]
    assert latin.get_fontproperties().get_family() == families[:-1]


def test_boxes_are_no_characters(monkeypatch):
    """Of the fonts that Matplotlib brings, only its font of boxes has "猫"."""
    own = [
        font
        for font in font_manager.fontManager.ttflist
        if Path(font.fname).is_relative_to(matplotlib.get_data_path())
    ]
    assert [font.name for font in own if ord("猫") in FT2Font(font.fname).get_charmap()] in (
        [],  # older versions of Matplotlib
        ["Last Resort High-Efficiency"],
    )
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    monkeypatch.setattr(fonts, "_PACKAGES", {})
    monkeypatch.setattr(fonts, "_fonts", fonts._fonts.__wrapped__)
    with pytest.warns(MissingFontWarning, match="characters 犬 猫 鳥"):
        figure = visualize.confusion_matrix(MATRIX, NAMES)
    assert labels_of(figure) == ["0", "1", "2"]


def test_numbers_where_there_is_no_font(monkeypatch, tmp_path):
    monkeypatch.setattr(fonts, "_fonts", list)
    with pytest.warns(
        MissingFontWarning, match=r"characters 犬 猫 鳥.*`pip install 'kerascnn\[fonts"
    ):
        figure = visualize.confusion_matrix(MATRIX, NAMES)
    assert labels_of(figure) == ["0", "1", "2"]
    figure.savefig(tmp_path / "plot.png")
    rows = [
        {"class_name": name, "precision": 1, "recall": 1, "f1": 1 - i / 10, "support": 9}
        for i, name in enumerate(["cat", "犬"])
    ]
    with pytest.warns(MissingFontWarning):
        assert labels_of(visualize.per_class(rows)) == ["1", "cat"]
    image = np.zeros((8, 8, 3), np.uint8)
    with pytest.warns(MissingFontWarning):
        figure = visualize.reconstructions([image] * 2, [image] * 2, "runs/猫: worst")
    assert figure.get_suptitle() == "runs/\\u732b: worst"
