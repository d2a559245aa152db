"""Competitive learning of S-cells of the later Neocognitron, without a gradient."""

from functools import cached_property
from typing import Any

import numpy as np

from kerascnn.arguments import UsageError, one_of
from kerascnn.ops.weightings import gaussian
from kerascnn.reference.windows import place_windows

RULES = ("add_if_silent", "winner_take_all", "winner_kill_loser")


class Competition:
    """The S-cells of one stage, which learn from one image after the other.

    Where no cell's cosine similarity to the input reaches the threshold, the position with the
    strongest input adds a cell whose reference is this input, until no such position is left. The
    rule decides what happens at the other positions: nothing with `"add_if_silent"`; with
    `"winner_take_all"`, the input is added to the reference of the winning cell; with
    `"winner_kill_loser"`, the other active cells are also removed.

    Args:
        layer: `kerascnn.layers.SCells2D`.
        settings: `SelfOrganization`.

    Reference:
        [Fukushima, 2013](https://doi.org/10.1016/j.neunet.2013.01.001) (add-if-silent); [Fukushima,
        2010](https://doi.org/10.1016/j.neunet.2010.04.007) (winner-kill-loser)
    """

    def __init__(self, layer, settings):
        self.layer = layer
        self.settings = settings
        self.rule = one_of(settings.rule, RULES, "rule")
        self.references: Any = None  # (cells, features), weighted, of length 1 for new cells
        self._strongest = 0.0

    @property
    def count(self):
        """The number of cells."""
        return 0 if self.references is None else len(self.references)

    def learn(self, planes):
        """Learns from the planes of one image.

        Args:
            planes: float array of shape `(height, width, channels)`.
        """
        inputs = self._inputs(planes)
        strength = np.linalg.norm(inputs, axis=1)
        largest = strength.max(initial=0.0)
        # A typical maximum, so that one bright image does not silence the images after it.
        self._strongest = 0.9 * self._strongest + 0.1 * largest if self._strongest else largest
        active = strength > max(self.settings.activity * self._strongest, 1e-6)
        inputs, strength = inputs[active], strength[active]
        if not len(inputs):
            return
        inputs = inputs / strength[:, np.newaxis]
        if self.references is None:
            self.references = np.zeros((0, inputs.shape[1]), "float32")
        self._give_birth(inputs, strength)
        if self.rule != "add_if_silent":
            self._compete(inputs, strength)

    def _give_birth(self, inputs, strength):
        threshold = self.settings.learning_threshold
        best = np.full(len(inputs), -1.0)
        if self.count:
            best = (inputs @ _unit(self.references).T).max(1)
        born = []
        while (silent := best < threshold).any():
            seed = inputs[np.where(silent, strength, -1.0).argmax()]
            born.append(seed)
            self._check_limit(self.count + len(born))
            best = np.maximum(best, np.where(inputs @ seed > 1 - 1e-6, 1.0, inputs @ seed))
        if born:
            self.references = np.concatenate([self.references, born])

    def _compete(self, inputs, strength):
        alive = np.ones(self.count, bool)
        cosines = inputs @ _unit(self.references).T
        for place in np.argsort(-strength, kind="stable"):
            here = np.where(alive, cosines[place], -1.0)
            winner = here.argmax()
            self.references[winner] += inputs[place]
            if self.rule == "winner_kill_loser":
                alive &= here < self.settings.learning_threshold
                alive[winner] = True
        self.references = self.references[alive]

    def _check_limit(self, count):
        limit = self.settings.max_cells
        if count > limit:
            raise UsageError(
                f"`max_cells` must be at least the number of cells that are created; in the layer "
                f"{self.layer.name!r} cell {count} was created with max_cells={limit}: raise "
                f"`max_cells`, or lower `learning_threshold` "
                f"({self.settings.learning_threshold}) or `stage_images` "
                f"({self.settings.stage_images})."
            )

    @cached_property
    def _weights(self):
        weights = np.sqrt(gaussian(self.layer.kernel_size, self.layer.sigma))
        return weights[:, :, np.newaxis].astype("float32")

    def _inputs(self, planes):
        """Returns the weighted inputs of all positions, flattened, as the layer multiplies them."""
        size, layer = self.layer.kernel_size, self.layer
        pads, _ = place_windows(planes.shape[:2], size, layer.strides, layer.padding)
        planes = np.pad(planes, (*pads, (0, 0)))
        windows = np.lib.stride_tricks.sliding_window_view(planes, size, (0, 1))
        windows = windows[:: layer.strides[0], :: layer.strides[1]].transpose(0, 1, 3, 4, 2)
        return (windows * self._weights).reshape(-1, self._weights.size * planes.shape[-1])

    def weights(self):
        """Returns the weights of the layer: `[kernel]`."""
        rows, columns = self.layer.kernel_size
        references = _unit(self.references).reshape(self.count, rows, columns, -1)
        return [(references / self._weights).transpose(1, 2, 3, 0)]


def _unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
