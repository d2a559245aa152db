import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from kerascnn import visualize
from kerascnn.arguments import UsageError


def test_learning_curves():
    history = [
        {"epoch": i, "loss": 1 / i, "accuracy": 1 - 1 / i, "val_loss": 1.1 / i, "val_accuracy": a}
        for i, a in ((1, 0.1), (2, 0.9), (3, 0.8))
    ]
    loss, accuracy = visualize.learning_curves(history, best_epoch=2).axes
    training, validation, best = loss.lines
    np.testing.assert_allclose(training.get_xydata(), [[1, 1], [2, 1 / 2], [3, 1 / 3]])
    np.testing.assert_allclose(validation.get_ydata(), [1.1, 0.55, 1.1 / 3])
    assert list(best.get_xdata()) == [2, 2]
    np.testing.assert_allclose(accuracy.lines[1].get_ydata(), [0.1, 0.9, 0.8])


def test_confusion_matrix():
    matrix = np.array([[3, 1], [0, 0]])
    axes = visualize.confusion_matrix(matrix, ["cat", "dog"]).axes[0]
    # A class without examples has no share to divide by.
    np.testing.assert_allclose(axes.images[0].get_array(), [[0.75, 0.25], [0, 0]])
    assert {(t.get_position(), t.get_text()) for t in axes.texts} == {((0, 0), "3"), ((1, 0), "1")}
    assert [tick.get_text() for tick in axes.get_yticklabels()] == ["cat", "dog"]


LONG_NAMES = ["European starling", "WIDE LETTERS IN CAPITALS", "x" * 18, "a_very_long_name" * 9]


def boxes_of(figure, texts):
    """The boxes of texts in the figure, in pixels, all of which are inside of it."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    boxes = [text.get_window_extent(renderer) for text in texts]
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= figure.bbox.width
        assert box.y1 <= figure.bbox.height
    return boxes


def check_no_overlap(figure, texts):
    boxes = boxes_of(figure, texts)
    assert not [pair for pair in itertools.combinations(boxes, 2) if pair[0].overlaps(pair[1])]


@pytest.mark.parametrize("count", [2, 4, 10, 25])
@pytest.mark.parametrize(
    "names",
    [
        LONG_NAMES,
        ["cat"],
        ["unicorn 12"],
        pytest.param(["漢字" * 20], marks=pytest.mark.extra("fonts")),
    ],
)
def test_names_of_a_confusion_matrix_do_not_overlap(count, names):
    names = [names[i % len(names)] for i in range(count)]
    figure = visualize.confusion_matrix(np.eye(count, dtype=int), names)
    axes = figure.axes[0]
    check_no_overlap(figure, axes.get_xticklabels())
    check_no_overlap(figure, axes.get_yticklabels())
    side = axes.get_window_extent().width / figure.dpi
    assert side > 0.5 * min(4 + 0.35 * count, 20)


def test_short_names_of_a_confusion_matrix_stay_horizontal():
    def rotations(count, names):
        axes = visualize.confusion_matrix(np.eye(count, dtype=int), names).axes[0]
        return {label.get_rotation() for label in axes.get_xticklabels()}

    assert rotations(2, ["benign", "malignant"]) == {0}
    assert rotations(10, "0123456789") == {0}
    assert rotations(4, LONG_NAMES) == {90}


def test_names_of_examples_do_not_overlap():
    images, labels = np.zeros((8, 4, 4, 3)), [0, 1, 2, 3] * 2
    for predicted in (labels, [1, 2, 3, 3] * 2):
        figure = visualize.examples(images, labels, predicted, np.ones(8), LONG_NAMES)
        check_no_overlap(figure, [axes.title for axes in figure.axes])
    assert figure.axes[3].get_title() == "a_very_long_namea… 100%"


def test_names_of_augmented_images_do_not_overlap():
    images, labels = np.zeros((4, 4, 4, 3)), [0, 1, 2, 3]
    mixed = np.array([[0.6, 0.4, 0, 0], [0, 0.6, 0.4, 0], [0, 0, 0.6, 0.4], [0, 0, 0, 1]])
    figure = visualize.augmentation(images, labels, [(images, mixed)], LONG_NAMES)
    check_no_overlap(figure, [axes.title for axes in figure.axes[:4]])
    check_no_overlap(figure, [axes.xaxis.label for axes in figure.axes[4:]])


def test_examples_mark_mistakes():
    images = np.zeros((3, 5, 6, 1))
    figure = visualize.examples(images, [0, 1, 1], [0, 0, 1], [0.9, 0.8, 0.7], ["cat", "dog"], "T")
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["cat 90%", "cat 80%\ntrue: dog", "dog 70%"]
    colors = [axes.title.get_color() for axes in figure.axes]
    assert colors == ["black", "crimson", "black"]


def test_more_examples_than_a_row_holds():
    images = np.zeros((11, 4, 4, 3))
    zeros = np.zeros(11, int)
    figure = visualize.examples(images, zeros, zeros, np.ones(11), ["cat"])
    assert sum(bool(axes.get_title()) for axes in figure.axes) == 11


def test_calibration():
    bins = [
        {"low": 0.0, "high": 0.5, "count": 0, "confidence": None, "accuracy": None},
        {"low": 0.5, "high": 0.75, "count": 1, "confidence": 0.6, "accuracy": 1.0},
        {"low": 0.75, "high": 1.0, "count": 3, "confidence": 0.9, "accuracy": 2 / 3},
    ]
    figure = visualize.calibration(bins, expected_error=0.275)
    upper, lower = figure.axes
    assert upper.get_title() == "Calibration (expected error 27.50%)"
    # An empty bin has nothing to draw.
    assert [(bar.get_x(), bar.get_width(), bar.get_height()) for bar in upper.patches] == [
        (0.5, 0.25, 1),
        (0.75, 0.25, 2 / 3),
    ]
    marks = upper.collections[0].get_segments()
    np.testing.assert_allclose(marks, [[[0.5, 0.6], [0.75, 0.6]], [[0.75, 0.9], [1, 0.9]]])
    np.testing.assert_allclose(upper.lines[0].get_xydata(), [[0, 0], [1, 1]])
    assert [bar.get_height() for bar in lower.patches] == [0.25, 0.75]


def scored(f1, support=5):
    rows = enumerate(f1)
    return [
        {"class_name": f"c{i}", "precision": 1, "recall": 1 - x, "f1": x, "support": support}
        for i, x in rows
    ]


def test_per_class_draws_the_worst_first():
    rows = scored([0.5, 0.25, 1]) + scored([0], support=0)  # the last has nothing to measure
    axes = visualize.per_class(rows).axes[0]
    assert [bar.get_width() for bar in axes.patches] == [0.25, 0.5, 1]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c1", "c0", "c2"]
    assert [text.get_text() for text in axes.texts] == ["0.250", "0.500", "1.000"]
    bottom, top = axes.get_ylim()
    assert bottom > top  # the first bar is the uppermost
    assert axes.get_title() == "F1 of each class, the worst first"
    axes = visualize.per_class(rows, "recall").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c2", "c0", "c1"]


def test_per_class_of_very_many():
    f1 = np.random.default_rng(0).permutation(1000) / 1000
    figure = visualize.per_class(scored(f1))
    axes = figure.axes[0]
    np.testing.assert_allclose([bar.get_width() for bar in axes.patches], np.arange(50) / 1000)
    assert axes.get_title() == "F1 of the worst 50 of 1,000 classes"


def segmented(iou):
    return [
        {
            "class_name": f"c{i}",
            "iou": x,
            "accuracy": x,
            "precision": 1.0,
            "boundary_f1": None if x == 0.5 else x,
            "pixels": 0 if x is None else 9,
        }
        for i, x in enumerate(iou)
    ]


def test_per_class_of_a_segmentation():
    rows = segmented([0.5, 0.25, None, 1])  # the third occurs nowhere
    axes = visualize.per_class(rows, "iou").axes[0]
    assert axes.get_title() == "IoU of each class, the worst first"
    assert [bar.get_width() for bar in axes.patches] == [0.25, 0.5, 1]
    axes = visualize.per_class(rows, "boundary_f1").axes[0]
    assert axes.get_title() == "Boundary F1 of each class, the worst first"
    assert [label.get_text() for label in axes.get_yticklabels()] == ["c1", "c3"]


def test_per_class_of_an_unknown_metric():
    with pytest.raises(ValueError, match="must be one of 'f1', 'precision', 'recall'; got metric"):
        visualize.per_class(scored([1]), "accuracy")
    with pytest.raises(ValueError, match="'boundary_f1', 'iou', 'precision'; got metric='f1'."):
        visualize.per_class(segmented([1]), "f1")


def test_names_are_no_formulas(tmp_path):
    names = ["$x_$", "a$\\frac$"]  # Matplotlib fails on such formulas
    rows = [{**row, "class_name": name} for row, name in zip(scored([1, 0]), names, strict=True)]
    figures = [
        visualize.confusion_matrix(np.eye(2, dtype=int), names),
        visualize.examples(np.zeros((2, 4, 4, 1)), [0, 1], [1, 1], [1, 1], names, title="$_$"),
        visualize.per_class(rows),
        visualize.augmentation(
            np.zeros((2, 4, 4, 1)),
            [0, 1],
            [(np.zeros((2, 4, 4, 1)), np.array([[0.7, 0.3], [0.0, 1.0]]))],
            names,
            title="$_$",
        ),
    ]
    for figure in figures:
        figure.savefig(tmp_path / "figure.png")
    labels = [axes.get_xlabel() for axes in figures[-1].axes]
    assert labels[2:] == ["70% $x_$, 30% a$\\frac$", "a$\\frac$"]


def test_augmentation_needs_a_probability_for_each_class():
    images, labels = np.zeros((2, 4, 4, 3)), [0, 0]
    single = [(images, np.ones((2, 1)))]
    figure = visualize.augmentation(images, labels, single, ["cat"])
    assert [axes.get_xlabel() for axes in figure.axes] == ["", "", "cat", "cat"]
    with pytest.raises(UsageError, match="`versions` must have a prob.* the 2 classes; got 1"):
        visualize.augmentation(images, labels, single, ["cat", "dog"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: visualize.examples(np.zeros((0, 4, 4, 3)), [], [], [], ["cat"]),
        lambda: visualize.augmentation(np.zeros((0, 4, 4, 3)), [], [], ["cat"]),
        lambda: visualize.reconstructions([], []),
        lambda: visualize.overlays([], ["sky"]),
        lambda: visualize.comparison([], [], []),
    ],
)
def test_nothing_to_draw(draw):
    with pytest.raises(UsageError, match=r"must have at least one entry; got none\."):
        draw()


def test_names_can_be_numbers():
    """As `range(10)` for images of digits."""
    image = np.zeros((1, 8, 8, 1), np.float32)
    figures = [
        visualize.confusion_matrix(np.eye(2, dtype=int), range(2)),
        visualize.examples(image, [0], [1], [0.8], range(2)),
        visualize.augmentation(image, np.array([1]), [(image, np.array([1]))], {0: 0, 1: 1}),
    ]
    drawn = [[text.get_text() for text in figure.findobj(Text)] for figure in figures]
    for texts, wanted in zip(drawn, ("1", "1 80%\ntrue: 0", "1"), strict=True):
        assert wanted in texts
