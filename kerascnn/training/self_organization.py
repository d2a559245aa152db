"""Learning without a gradient: stage after stage, by competition and by birth."""

import time
import warnings
from dataclasses import dataclass

import keras
import numpy as np

from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.layers import InterpolatingVectors, SCells2D, ShuntingSCells2D
from kerascnn.models.rewriting import checked_graph_model, copy_state, remade, rewritten, same
from kerascnn.training.competition import RULES, Competition
from kerascnn.training.labelled_vectors import AveragedVectors, LabelledVectors
from kerascnn.training.representatives import Representatives

TOP_RULES = ("misread", "winner_take_all")

# How often a stage reports how it goes: every so many images.
_REPORTS = 100
# `q` of the stages of 1980, the last one also of further stages, and the side of their S-columns.
_RATES = (1.0, 16.0, 16.0)
_COLUMN = 5
# How often each pattern is shown, in the experiments of 1980
_ROUNDS = 20


class SilentImageWarning(UserWarning):
    """Images without contrast, which no cell answers to, were left out."""


@dataclass(frozen=True)
class SelfOrganization:
    """How cells are born and learn.

    Args:
        rule: `"add_if_silent"` (2013: where no cell answers, the input becomes one, which never
            changes), `"winner_take_all"` (the winner learns) or `"winner_kill_loser"` (2010: losers
            are removed, too): the rule of the S-cells of the later form.
        learning_threshold: float in [0, 1), the cosine below which a cell is silent while it
            learns; higher than that with which it recognizes.
        activity: float in [0, 1), the least strength of an input next to that of the strongest one.
        stage_images: int, how many images a stage of cells learns from.
        max_cells: int, how many cells a stage may have.
        top_rule: `"misread"` (2013: an image that is misread becomes a vector of its class), or
            `"winner_take_all"` (2003: images that are read correctly are added to their vector).
        margin: float of at least 0: an image is misread if its class does not win by more.
        max_vectors: int, how many vectors there may be.

    Raises:
        ValueError: if a number is out of its range or a name unknown.

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


def self_organize(model, data, settings=None, *, passes=1, done=(), on_stage=None, on_report=None):
    """Teaches a Neocognitron without a gradient, one stage after the other.

    Layers `SCells2D` and `ShuntingSCells2D` that are trainable learn in the order of the model,
    each from what those before it make of the images; then the layer `InterpolatingVectors` at its
    end learns labelled vectors, and, from the validation images, the `scale` at which its outputs
    are calibrated logits. Images stream: memory is bounded by the cells and vectors, not by the
    images. The same data in the same order give the same model.

    Args:
        model: functional `keras.Model` that ends in `kerascnn.layers.InterpolatingVectors`.
        data: `{"train": ..., "validation": ...}`, iterables of batches of images and labels, such
            as `tf.data` pipelines; without `"validation"` the scale stays as it is.
        settings: optional `SelfOrganization`.
        passes: int, how often all images are shown to the vectors. A stage of cells sees
            `stage_images` images, those of 1980 again and again, up to 20 times, where there are
            fewer.
        done: pairs of the weights and the passes of the stages that have learned before, as
            `on_stage` got them.
        on_stage: optional function that is called with the number of a stage, its weights, a list
            of arrays, and the passes that it has begun.
        on_report: optional function that is called with each row of the history, when it is new.

    Returns:
        pair of a new `keras.Model` with as many cells and vectors as were born, and the history: a
        list of dicts with the `stage` (the name of the layer), the `images` that it has seen, the
        `cells` that it has, `errors` (images that were misread; only of the last stage) and
        `seconds`.

    Raises:
        ValueError: if the model does not end in such a layer, there are fewer images than classes,
            no image has contrast, or more cells or vectors are born than there may be.

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
        if number < len(done):
            weights, begun = done[number]
            for _ in range(begun):  # shuffled data go on to where they are after the stage
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
    """Names of the layers of a model that learn by themselves, in their order.

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
    """The learning of one layer."""

    def __init__(self, model, name, number, settings):
        self.layer = model.get_layer(name)
        self.settings = settings
        self.classes = model.output_shape[-1]
        self.before = keras.Model(model.inputs[0], self.layer.input)
        self.top = isinstance(self.layer, InterpolatingVectors)
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
        """Shows the images, and returns the weights and how many passes were begun."""
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
                f"{self.layer.name!r} no cell answers to any of the {seen} images: check that "
                "they are not blank."
            )
        if self.top and learner.silent:
            warnings.warn(
                f"{learner.silent} of {seen} training images have no contrast that a cell answers "
                "to, and were left out.",
                SilentImageWarning,
                stacklevel=4,
            )
        if reported != seen:
            report(row())
        return self._weights(), begun

    def _show(self, images, labels):
        features = keras.ops.convert_to_numpy(self.before.predict_on_batch(images))
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
    """A model with a stage that has learned; those after it have fresh weights."""
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


def calibrate(model, batches):
    """Sets `scale` of the last layer so that the outputs are calibrated logits.

    The scale is the one with the least cross-entropy on the images: one number cannot change which
    class wins.

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
    """Where a function with one minimum is least, by golden sections of the logarithm."""
    low, high = np.log(low), np.log(high)
    ratio = (np.sqrt(5) - 1) / 2
    for _ in range(steps):
        left, right = high - ratio * (high - low), low + ratio * (high - low)
        if function(np.exp(left)) <= function(np.exp(right)):
            high = right
        else:
            low = left
    return float(np.exp((low + high) / 2))
