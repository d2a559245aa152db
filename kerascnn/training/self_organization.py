"""Self-organization: learning without a gradient, one stage after the other."""

import time
import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.layers import InterpolatingVectors, SCells2D, ShuntingSCells2D
from kerascnn.models.rewriting import checked_graph_model, copy_state, remade, rewritten, same
from kerascnn.training.competition import RULES, Competition
from kerascnn.training.errors import SilentImageWarning
from kerascnn.training.labelled_vectors import AveragedVectors, LabelledVectors
from kerascnn.training.representatives import Representatives

TOP_RULES = ("misread", "winner_take_all")

# Number of images between progress reports of a stage.
_REPORTS = 100
# `q` of the stages of 1980 (the last value for further stages), and the size of S-columns.
_RATES = (1.0, 16.0, 16.0)
_COLUMN = 5
# Number of presentations of each pattern in the experiments of 1980
_ROUNDS = 20


@dataclass(frozen=True)
class SelfOrganization:
    """Settings of self-organization.

    Args:
        rule: the rule for the S-cells of the later form: `"add_if_silent"` (2013: where no cell
            responds, the input becomes a new cell, which never changes), `"winner_take_all"` (the
            winner learns) or `"winner_kill_loser"` (2010: losers are also removed).
        learning_threshold: float in [0, 1), the cosine below which a cell is silent during
            learning; higher than the threshold in recognition.
        activity: float in [0, 1), the smallest strength of an input, relative to the strongest one.
        stage_images: int, number of images that a stage of cells learns from.
        max_cells: int, largest number of cells in a stage.
        top_rule: `"misread"` (2013: a misclassified image becomes a vector of its class), or
            `"winner_take_all"` (2003: correctly classified images are added to their vector).
        margin: float of at least 0: an image counts as misclassified unless its class wins by more.
        max_vectors: int, largest number of vectors.

    Raises:
        ValueError: if a number is out of range or a name is unknown.

    Reference:
        [Fukushima, 2013](https://doi.org/10.1016/j.neunet.2013.01.001)

    Example:
        >>> import kerascnn
        >>> kerascnn.training.SelfOrganization(margin=0.05).learning_threshold
        0.75
    """

    rule: str = "add_if_silent"
    learning_threshold: float = 0.75
    activity: float = 0.5
    stage_images: int = 500
    max_cells: int = 1000
    top_rule: str = "misread"
    margin: float = 0.1
    max_vectors: int = 20_000

    def __post_init__(self):
        one_of(self.rule, RULES, "rule")
        one_of(self.top_rule, TOP_RULES, "top_rule")
        for name in ("learning_threshold", "activity"):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise UsageError(f"`{name}` must be in [0, 1); got {name}={value}.")
        if not 0 <= self.margin < 2:
            raise UsageError(f"`margin` must be in [0, 2); got margin={self.margin}.")
        for name in ("stage_images", "max_cells", "max_vectors"):
            at_least_one(getattr(self, name), name)


def self_organize(
    model: keras.Model,
    data: dict[str, Any],
    settings: SelfOrganization | None = None,
    *,
    passes: int = 1,
    done: Iterable[Any] = (),
    on_stage: Callable[..., Any] | None = None,
    on_report: Callable[..., Any] | None = None,
) -> tuple[keras.Model, list[dict[str, Any]]]:
    """Trains a Neocognitron without a gradient, one stage after the other.

    Trainable layers `SCells2D` and `ShuntingSCells2D` learn in the order of the model, each from
    the outputs of the layers before it. Then the last layer, `InterpolatingVectors`, learns
    labelled vectors, and learns from the validation images the `scale` at which its outputs are
    calibrated logits. Images are streamed: memory is bounded by the cells and vectors, not by the
    images. The same data in the same order give the same model.

    Args:
        model: functional `keras.Model` that ends in `kerascnn.layers.InterpolatingVectors`.
        data: `{"train": ..., "validation": ...}`, iterables of batches of images and labels, such
            as `tf.data` pipelines; without `"validation"` the scale does not change.
        settings: optional `SelfOrganization`.
        passes: int, how often the vectors see all images. A stage of cells sees `stage_images`
            images; stages of 1980 repeat the images up to 20 times if there are fewer.
        done: pairs of weights and passes of the completed stages, from `on_stage`.
        on_stage: optional function that is called with the number of a completed stage, its weights
            (a list of arrays), and the number of passes that it has started.
        on_report: optional function that is called with each new row of the history.

    Returns:
        pair of a new `keras.Model` with the cells and vectors that were created, and the history: a
        list of dicts with `stage` (the name of the layer), `images` (the number seen so far),
        `cells` (their number), `errors` (misclassified images; only in the last stage) and
        `seconds`.

    Raises:
        ValueError: if the model does not end in such a layer, there are fewer images than classes,
            no image has contrast, or the number of cells or vectors exceeds its limit.

    Reference:
        [Fukushima, 1980](https://doi.org/10.1007/BF00344251); [Fukushima,
        2013](https://doi.org/10.1016/j.neunet.2013.01.001)

    Example:
        >>> import kerascnn
        >>> digits = kerascnn.data.load_classification("digits", image_size=28)
        >>> data = {split: digits.pipeline(split) for split in ("train", "validation")}
        >>> model = kerascnn.models.create_model("neocognitron")
        >>> settings = kerascnn.training.SelfOrganization(stage_images=20, margin=0.0)
        >>> model, history = kerascnn.training.self_organize(model, data, settings)
        >>> history[-1]["stage"], model.output_shape
        ('logits', (None, 10))
    """
    settings = settings or SelfOrganization()
    stages = stages_of(model)
    history = []

    def report(row):
        history.append(row)
        if on_report is not None:
            on_report(row)

    for number, name in enumerate(stages):
        stage = _Stage(model, name, number, settings)
        if number < len(done):  # pyright: ignore[reportArgumentType]
            weights, begun = done[number]
            for _ in range(begun):  # advances shuffled data to the state after the stage
                next(iter(data["train"]), None)
        else:
            weights, begun = stage.learn(data["train"], passes, report)
            if on_stage is not None:
                on_stage(number, weights, begun)
        model = _with_weights(model, name, weights)
    if data.get("validation") is not None:
        calibrate(model, data["validation"])
    return model, history


def stages_of(model):
    """Returns the names of the self-organizing layers of a model, in order.

    Raises:
        ValueError: if the last layer is not `InterpolatingVectors`.
    """
    layers = checked_graph_model(model).layers
    if not isinstance(layers[-1], InterpolatingVectors):
        raise UsageError(
            "`model` must end in a layer `InterpolatingVectors`, as 'neocognitron' does; got "
            f"{model.name!r}, which ends in {type(layers[-1]).__name__}."
        )
    cells = [
        layer.name
        for layer in layers
        if isinstance(layer, (SCells2D, ShuntingSCells2D)) and layer.trainable
    ]
    return [*cells, layers[-1].name]


class _Stage:
    """Trains one layer."""

    def __init__(self, model, name, number, settings):
        self.layer = model.get_layer(name)
        self.settings = settings
        self.classes = model.output_shape[-1]
        self.before = keras.Model(model.inputs[0], self.layer.input)
        self.top = isinstance(self.layer, InterpolatingVectors)
        self.learner: Any
        if self.top and settings.top_rule == "misread":
            self.learner = LabelledVectors(
                self.classes, self.layer.neighbors, settings.margin, settings.max_vectors
            )
        elif self.top:
            self.learner = AveragedVectors(self.classes, settings.max_vectors)
        elif isinstance(self.layer, SCells2D):
            self.learner = Competition(self.layer, settings)
        else:
            rate = _RATES[min(number, len(_RATES) - 1)]
            self.learner = Representatives(self.layer, rate, _COLUMN)

    def learn(self, batches, passes, report):
        """Learns from the images; returns the weights and the number of passes started."""
        began, seen, reported = time.perf_counter(), 0, None
        learner = self.learner

        def row():
            return {
                "stage": self.layer.name,
                "images": seen,
                "cells": learner.count,
                "errors": getattr(learner, "errors", 0),
                "seconds": round(time.perf_counter() - began, 3),
            }

        limit = float("inf") if self.top else self.settings.stage_images
        if not self.top:
            passes = 1 if isinstance(learner, Competition) else _ROUNDS
        begun = 0
        while begun < passes and seen < limit:
            begun += 1
            for images, labels in batches:
                if seen + len(images) > limit:
                    images, labels = images[: limit - seen], labels[: limit - seen]
                self._show(np.asarray(images), np.asarray(labels))
                seen += len(images)
                if seen // _REPORTS != (seen - len(images)) // _REPORTS:
                    report(row())
                    reported = seen
                if seen >= limit:
                    break
            if begun == 1 and seen < min(self.classes, limit):
                raise UsageError(
                    "There must be at least as many training images as classes; got "
                    f"{seen} images of {self.classes} classes: add images."
                )
        if not learner.count:
            raise UsageError(
                "The training images must have contrast; in the layer "
                f"{self.layer.name!r} no cell responds to any of the {seen} images: check that "
                "they are not blank."
            )
        silent = getattr(learner, "silent", 0)
        if self.top and silent:
            warnings.warn(
                f"{silent} of {seen} training images have no contrast that a cell could "
                "respond to, and were left out.",
                SilentImageWarning,
                stacklevel=4,
            )
        if reported != seen:
            report(row())
        return self._weights(), begun

    def _show(self, images, labels):
        features: Any = keras.ops.convert_to_numpy(self.before.predict_on_batch(images))
        if self.top:
            self.learner.learn(features, labels)
            return
        if self.layer.data_format == "channels_first":
            features = np.moveaxis(features, 1, -1)
        for planes in features:
            self.learner.learn(planes)

    def _weights(self):
        if not self.top:
            return self.learner.weights()
        return [np.array(self.learner.counts), self.learner.vectors()]


def _with_weights(model, name, weights):
    """Returns a model with the weights of a completed stage, and new weights after it."""
    top = isinstance(model.get_layer(name), InterpolatingVectors)

    def replace(layer):
        if layer.name != name:
            return same(layer)
        if top:
            return remade(layer, type(layer), counts=tuple(map(int, weights[0])))
        return remade(layer, type(layer), filters=weights[0].shape[-1])

    new, pairs = rewritten(model, replace)
    for layer, again in pairs:
        if layer.name == name and top:
            again.set_vectors(weights[1])
        elif layer.name == name:
            again.set_weights(weights)
        elif [w.shape for w in layer.variables] == [w.shape for w in again.variables]:
            copy_state(layer, again)
    return new


def calibrate(model: keras.Model, batches: Iterable[Any]) -> tuple[float, float]:
    """Sets `scale` of the last layer so that the outputs are calibrated logits.

    The scale minimizes the cross-entropy on the images. A single factor does not change which class
    wins.

    Args:
        model: `keras.Model` that ends in `kerascnn.layers.InterpolatingVectors`.
        batches: iterable of batches of images and labels.

    Returns:
        pair of floats: the scale, and the accuracy on the images.
    """
    scores, labels = [], []
    layer = model.layers[-1]
    for images, of_batch in batches:
        scores.append(keras.ops.convert_to_numpy(model.predict_on_batch(np.asarray(images))))
        labels.append(np.asarray(of_batch))
    if not scores:
        return float(layer.scale), float("nan")
    scores = np.concatenate(scores).astype("float64") / float(layer.scale)
    labels = np.concatenate(labels)
    scale = _least(lambda scale: _cross_entropy(scale * scores, labels), 1.0, 1000.0)
    layer.scale.assign(scale)
    return scale, float((scores.argmax(1) == labels).mean())


def _cross_entropy(logits, labels):
    logits = logits - logits.max(1, keepdims=True)
    return (np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]).mean()


def _least(function, low, high, steps=60):
    """Minimizes a function with one minimum by golden-section search on a logarithmic scale."""
    low, high = np.log(low), np.log(high)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(steps):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if function(np.exp(left)) <= function(np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
