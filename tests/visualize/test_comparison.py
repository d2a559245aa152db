import numpy as np
import pytest

from kerascnn import visualize


def row(*, channels=3, place=(20, 30)):
    """A truth, and answers that are wrong in a square of 6 pixels."""
    truth = np.full((40, 60, channels), 100, np.uint8)
    wrong = truth.copy()
    wrong[place[0] : place[0] + 6, place[1] : place[1] + 6] = 200
    return [truth[::2, ::2], wrong, truth]


def test_the_detail_is_where_the_answers_are_wrong():
    figure = visualize.comparison([row()], [["low", "wrong", "truth"]], ["a_b$c$.png"], 6, "T")
    whole, low, wrong, truth = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["a_b$c$.png", "low", "wrong", "truth"]
    assert figure.get_suptitle() == "T"
    assert whole.images[0].get_array().shape == (40, 60, 3)
    (frame,) = whole.patches
    assert (frame.get_x(), frame.get_y()) == (29.5, 19.5)
    assert (frame.get_width(), frame.get_height()) == (6, 6)
    np.testing.assert_array_equal(wrong.images[0].get_array(), 200)
    np.testing.assert_array_equal(truth.images[0].get_array(), 100)
    assert low.images[0].get_array().shape == (6, 6, 3)


def test_what_is_smaller_is_drawn_with_larger_pixels():
    truth = np.arange(8 * 6 * 3, dtype=np.uint8).reshape(8, 6, 3)
    low = truth[::2, ::2]
    figure = visualize.comparison([[low, truth]], [["low", "truth"]], ["x"], detail=100)
    drawn = figure.axes[1].images[0].get_array()
    # The detail is no larger than the picture: six of the eight rows.
    top = figure.axes[0].patches[0].get_y() + 0.5
    repeated = np.kron(low, np.ones((2, 2, 1), np.uint8))
    np.testing.assert_array_equal(drawn, repeated[int(top) : int(top) + 6])


def test_rows_of_gray_and_color():
    pictures = [row(channels=1), row(place=(0, 0))]
    labels = [["a", "b", "c"], ["d", "e", "f"]]
    figure = visualize.comparison(pictures, labels, ["gray", "color"], 6)
    assert len(figure.axes) == 8
    assert figure.axes[0].images[0].get_cmap().name == "gray"
    assert figure.axes[0].images[0].get_clim() == (0, 255)
    assert figure.axes[4].patches[0].get_x() == -0.5


def test_sizes_must_divide():
    truth = np.zeros((8, 9, 3), np.uint8)
    with pytest.raises(ValueError, match=r"got shape \(4, 4, 3\) with \(8, 9, 3\)"):
        visualize.comparison([[truth[::2, :8:2], truth]], [["a", "b"]], ["x"])
