import numpy as np

from kerascnn import visualize


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
