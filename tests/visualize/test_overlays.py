import numpy as np
import pytest
from matplotlib.colors import to_rgb

from kerascnn.visualize import blend, colorize, overlays, palette

COLORS = np.array([[10, 20, 30], [200, 0, 100]], "uint8")
NAMES = ["sky", "road", "tree"]


@pytest.mark.parametrize("count", [1, 32, 255])
def test_palette(count):
    colors = palette(count)
    assert colors.shape == (count, 3)
    assert colors.dtype == np.uint8
    assert len(np.unique(colors, axis=0)) == count
    assert (colors.max(axis=1) > 64).all()  # none is nearly black
    np.testing.assert_array_equal(colors, palette(255)[:count])


def test_the_first_colors_are_told_apart():
    colors = palette(32).astype(int)
    apart = np.abs(colors[:, np.newaxis] - colors).sum(axis=-1)
    assert (apart + 1000 * np.eye(32) >= 50).all()


@pytest.mark.parametrize("count", [0, 256])
def test_palette_of_a_wrong_count(count):
    with pytest.raises(ValueError, match=f"`count` must be from 1 to 255; got count={count}."):
        palette(count)


def test_colorize():
    painted = colorize(np.array([[0, 1], [255, 0]], "uint8"), COLORS)
    assert painted.dtype == np.uint8
    assert painted.tolist() == [[[10, 20, 30], [200, 0, 100]], [[0, 0, 0], [10, 20, 30]]]


def test_masks_of_bools_have_two_classes():
    mask = np.array([[True, False]])
    assert colorize(mask, COLORS).tolist() == [[[200, 0, 100], [10, 20, 30]]]
    image = np.full((1, 2, 3), 100, "uint8")
    np.testing.assert_array_equal(
        blend(image, mask, COLORS), blend(image, mask.astype(int), COLORS)
    )


def test_masks_of_floats_are_refused():
    with pytest.raises(ValueError, match="`mask` must be an array of ints; got the dtype float64"):
        blend(np.zeros((1, 2, 3), "uint8"), np.zeros((1, 2)), COLORS)


@pytest.mark.parametrize("number", [2, -1, 256])
def test_a_number_without_color(number):
    with pytest.raises(ValueError, match=f"from 0 to 1, or 255; got {number}."):
        colorize(np.array([[0, number]]), COLORS)


@pytest.mark.parametrize("channels", [1, 3])
def test_blend(channels):
    image = np.full((1, 2, channels), 100, "uint8")
    mask = np.array([[1, 255]])
    for opacity, color in ((0, [100] * 3), (0.5, [150, 50, 100]), (1, [200, 0, 100])):
        painted = blend(image, mask, COLORS, opacity)
        assert painted.dtype == np.uint8
        assert painted.tolist() == [[color, [100] * 3]]  # the ignored pixel as it was


def row(name="a.png", size=(6, 8), channels=3):
    truth = np.zeros(size, "uint8")
    truth[0] = 255
    predicted = truth.copy()
    predicted[:2, 0] = 1
    image = np.full((*size, channels), 120, "uint8")
    return {"image": image, "truth": truth, "predicted": predicted, "iou": 0.5, "name": name}


def test_overlays():
    figure = overlays([row("a.png"), row("b.png", (5, 5), channels=1)], NAMES, "T")
    assert figure.get_suptitle() == "T"
    assert [axes.get_title() for axes in figure.axes] == [
        "a.png: mean IoU 50.0%",
        *("truth", "prediction", "errors"),
        "b.png: mean IoU 50.0%",
        *("truth", "prediction", "errors"),
    ]
    image, truth, predicted, errors = (axes.images[0].get_array() for axes in figure.axes[:4])
    assert (image == 120).all()
    # What is ignored is without color in both masks, and black among the errors.
    assert (truth[0] == 120).all()
    assert (predicted[0] == 120).all()
    assert not errors[0].any()
    colors = [tuple(truth[2, 2]), tuple(predicted[1, 0])]
    assert len({*colors, (120, 120, 120)}) == 3
    red, green, blue = errors[1, 0]
    assert red > 180
    assert max(green, blue) < 80
    assert len(np.unique(errors[2:])) == 1  # right pixels are gray


def test_the_legend_names_what_is_to_be_seen():
    (legend,) = overlays([row()], NAMES).legends
    assert [text.get_text() for text in legend.get_texts()] == [
        *("sky", "road", "(wrong)", "(ignored)")
    ]
    colors = [patch.get_facecolor()[:3] for patch in legend.get_patches()]
    np.testing.assert_allclose(colors[:2], palette(3)[:2] / 255)
    assert colors[3] == to_rgb("black")


def test_names_are_no_formulas_and_may_be_long(tmp_path):
    figure = overlays([row("$x_$" * 50 + "1.png")], ["a$\\frac$", "_$_$"], title="$_$")
    figure.savefig(tmp_path / "figure.png")
    assert figure.axes[0].get_title().endswith("1.png: mean IoU 50.0%")
    assert len(figure.axes[0].get_title()) < 50
    assert [text.get_text() for text in figure.legends[0].get_texts()][1] == "_$_$"
