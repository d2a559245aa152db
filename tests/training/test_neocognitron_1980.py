"""The experiments of the paper of 1980: without labels, each pattern gets a cell of its own."""

import runpy
from pathlib import Path

import keras
import numpy as np
import pytest

from kerascnn import reference
from kerascnn.layers import ShuntingSCells2D
from kerascnn.training.representatives import Representatives

EXPERIMENT = runpy.run_path(Path(__file__).parents[2] / "benchmarks" / "neocognitron_1980.py")
answers, learn, pattern, shifted_winners, winners = (
    EXPERIMENT[name] for name in ("answers", "learn", "pattern", "shifted_winners", "winners")
)


@pytest.fixture(scope="module")
def digits():
    return learn("01234")


def test_every_pattern_has_one_cell_and_no_cell_two(digits):
    _, cells = digits
    first, found = winners(cells, "01234")
    assert len(set(first.tolist())) == 5
    second = np.sort(found, 1)[:, -2]
    assert (second < 0.1 * found.max(1)).all()  # as the paper says: exactly one cell


def test_patterns_are_known_wherever_they_are(digits):
    kept, shown = shifted_winners(digits[1], "01234")
    assert shown == 125
    assert kept >= 115


@pytest.mark.nightly
@pytest.mark.parametrize("names", ["01234", "XYTZ"])
def test_from_three_starts(names):
    for seed in (0, 1, 2):
        first, found = winners(learn(names, seed)[1], names)
        assert len(set(first.tolist())) == len(names), seed
        assert (np.sort(found, 1)[:, -2] < 0.1 * found.max(1)).all(), seed


def test_the_transcription_of_the_equations_agrees_with_the_layers(digits):
    model, cells = digits
    u = pattern("2")[np.newaxis, :, :, np.newaxis].astype("float64")
    for stage in (1, 2, 3):
        s, c = (model.get_layer(f"stage{stage}_{kind}_cells") for kind in "sc")
        kernel, b = (np.asarray(w, "float64") for w in s.get_weights())
        u = reference.shunting_s_cells2d(
            u, kernel, b, s.selectivity, s.decay, s.output_size, s.spacing
        )
        u = reference.shunting_c_cells2d(
            u, c.kernel_size, c.alpha, c.decay, c.output_size, c.spacing
        )
    np.testing.assert_allclose(answers(cells, [pattern("2")]), u.reshape(1, -1), atol=1e-5)
    assert u.max() > 0.3


def test_one_representative_a_plane_and_what_it_learns():
    layer = ShuntingSCells2D(6, 3, decay=0.8, output_size=5)
    layer.build((None, 7, 7, 2))
    learner = Representatives(layer, rate=16.0, column=3)
    planes = np.random.default_rng(0).uniform(size=(7, 7, 2)) ** 3
    before = learner.kernel.copy()
    answered = reference.shunting_s_cells2d(
        planes[None], before, np.zeros(6), output_size=5, decay=0.8
    )[0]
    found = learner.learn(planes)
    chosen = [plane for plane, _, _ in found]
    assert 0 < len(found) == len(set(chosen))
    for plane, row, column in found:
        # Each is the strongest of all planes in some square around it.
        squares = [
            answered[max(i - 1, 0) : i + 2, max(j - 1, 0) : j + 2].max()
            for i in range(row - 1, row + 2)
            for j in range(column - 1, column + 2)
            if 0 <= i < 5 and 0 <= j < 5
        ]
        assert answered[row, column, plane] in squares
        moved = learner.kernel[..., plane] - before[..., plane]
        window = planes[row + 1 - 1 : row + 1 + 2, column + 1 - 1 : column + 1 + 2]
        c = 0.8 ** np.hypot(*np.mgrid[-1:2, -1:2])[..., None]
        c = c / c.sum() / 2
        np.testing.assert_allclose(moved, 16 * c * window, rtol=1e-6)
        v = np.sqrt((c * window**2).sum())
        np.testing.assert_allclose(learner.inhibition[plane], 8 * v, rtol=1e-6)
    others = [plane for plane in range(6) if plane not in chosen]
    np.testing.assert_array_equal(learner.kernel[..., others], before[..., others])
    assert keras.ops.convert_to_numpy(layer.inhibition).max() == 0
