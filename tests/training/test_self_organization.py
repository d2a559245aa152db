"""Learning without a gradient: the same model from the same images, and what it cannot learn."""

import json

import keras
import numpy as np
import pytest

from kerascnn import layers, reference
from kerascnn.models import create_model
from kerascnn.training import (
    Recipe,
    RunFolder,
    SelfOrganization,
    self_organize,
)
from kerascnn.training.competition import Competition
from kerascnn.training.errors import SilentImageWarning
from kerascnn.training.labelled_vectors import AveragedVectors, LabelledVectors
from kerascnn.training.learning import SelfOrganizing, calibrate

SMALL = SelfOrganization(stage_images=20, learning_threshold=0.6)


def bars(count=60, seed=0, size=16):
    """Batches of bars, horizontal, vertical and diagonal, at random places."""
    rng = np.random.default_rng(seed)
    images, labels = np.zeros((count, size, size, 1), "float32"), np.arange(count) % 3
    for image, label in zip(images, labels, strict=True):
        place = rng.integers(4, size - 4)
        if label == 0:
            image[place : place + 2, 2:-2] = 1
        elif label == 1:
            image[2:-2, place : place + 2] = 1
        else:
            image[..., 0] = np.eye(size, k=place - size // 2) + np.eye(
                size, k=place - size // 2 + 1
            )
    return [(images[i : i + 16], labels[i : i + 16]) for i in range(0, count, 16)]


def small_model(classes=3):
    return create_model("neocognitron", (16, 16, 1), classes)


@pytest.fixture(scope="module")
def learned():
    data = {"train": bars(), "validation": bars(30, seed=1)}
    return self_organize(small_model(), data, SMALL)


def logits(model, batches):
    return np.concatenate([model.predict_on_batch(images) for images, _ in batches])


def labels_of(batches):
    return np.concatenate([labels for _, labels in batches])


def test_it_learns_bars(learned):
    model, history = learned
    test = bars(60, seed=2)
    assert (logits(model, test).argmax(1) == labels_of(test)).mean() > 0.95
    assert [row["stage"] for row in history][-1] == "logits"
    last = {row["stage"]: row for row in history}
    assert last["stage2_s_cells"]["images"] == 20
    assert last["stage2_s_cells"]["cells"] == model.get_layer("stage2_s_cells").filters
    assert last["logits"]["images"] == 60
    assert last["logits"]["cells"] == sum(model.get_layer("logits").counts)


def test_the_layers_have_the_scores_that_learning_saw(learned):
    model, _ = learned
    layer = model.get_layer("logits")
    features = keras.Model(model.inputs[0], layer.input).predict_on_batch(bars(16)[0][0])
    expected = reference.interpolating_vectors(
        np.asarray(features, "float64"), np.asarray(layer.vectors, "float64"), layer.counts
    )
    found = model.predict_on_batch(bars(16)[0][0]) / float(layer.scale)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_one_order_gives_one_model_bit_for_bit(learned):
    again, _ = self_organize(
        small_model(), {"train": bars(), "validation": bars(30, seed=1)}, SMALL
    )
    for ours, theirs in zip(learned[0].get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_cells_learn_nothing_from_labels(learned):
    wrong = [(images, (labels + 1) % 3) for images, labels in bars()]
    model, _ = self_organize(small_model(), {"train": wrong}, SMALL)
    ours, theirs = (m.get_layer("stage2_s_cells").get_weights()[0] for m in (model, learned[0]))
    np.testing.assert_array_equal(ours, theirs)


def test_no_gradient_is_taken(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("a gradient was asked for")

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        monkeypatch.setattr(tf, "GradientTape", refuse)
        monkeypatch.setattr(tf, "gradients", refuse)
    elif backend == "jax":
        import jax

        for name in ("grad", "value_and_grad", "vjp", "jvp", "linearize"):
            monkeypatch.setattr(jax, name, refuse)
    else:
        import torch

        monkeypatch.setattr(torch.Tensor, "backward", refuse)
        monkeypatch.setattr(torch.autograd, "grad", refuse)
        monkeypatch.setattr(torch.autograd, "backward", refuse)
    data = {"train": bars(32), "validation": bars(16, seed=1)}
    self_organize(small_model(), data, SMALL)
    model = create_model("neocognitron_1980", (16, 16, 1), 3)
    self_organize(model, data, SelfOrganization(stage_images=16))
    model.compile("sgd", "mse", run_eagerly=True)
    images, labels = bars(16)[0]
    with pytest.raises(AssertionError, match="a gradient was asked for"):  # as `fit` does
        model.train_on_batch(images, np.eye(3)[labels])


@pytest.mark.parametrize("rule", ["add_if_silent", "winner_take_all", "winner_kill_loser"])
def test_rules_of_competition(rule):
    settings = SelfOrganization(rule=rule, learning_threshold=0.7)
    competition = Competition(layers.SCells2D(1, 3), settings)
    planes = np.random.default_rng(0).uniform(size=(12, 6, 6, 4)).astype("float32") ** 4
    counts = []
    for image in planes:
        competition.learn(image)
        counts.append(competition.count)
    (kernel,) = competition.weights()
    layer = layers.SCells2D(competition.count, 3, threshold=0.0, power=0.0)
    layer.build((None, 6, 6, 4))
    layer.set_weights([kernel])
    best = keras.ops.convert_to_numpy(layer(planes[-1:])).max(-1)[0]
    if rule == "add_if_silent":  # no strong place is left without an answer, and none forgets
        energy = reference.s_cells2d(planes[-1:], np.ones((3, 3, 4, 1)), 0.0)[0, ..., 0]
        assert best[energy > 0.9 * energy.max()].min() > 0.7 - 1e-5
        assert counts == sorted(counts)
    else:
        assert best.max() > 0.7
    if rule == "winner_kill_loser":
        other = Competition(layers.SCells2D(1, 3), SelfOrganization(learning_threshold=0.7))
        for image in planes:
            other.learn(image)
        assert competition.count < other.count


def test_a_vector_is_born_where_an_image_is_misread():
    vectors = LabelledVectors(2, neighbors=10, margin=0.0, max_vectors=10)
    x = np.array([[1, 0], [0.9, 0.1], [0, 1], [0.1, 0.9], [0, 0], [0.55, 0.45]], "float32")
    vectors.learn(x[:3], [0, 0, 1])
    vectors.learn(x[3:], [1, 0, 1])
    # The second and the fourth are read correctly, the fifth is blank, the last is misread.
    assert vectors.counts == (1, 2)
    assert (vectors.errors, vectors.silent) == (3, 1)
    unit = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    np.testing.assert_allclose(vectors.vectors(), unit[[0, 2, 5]])


def test_batches_change_nothing():
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(60, 8)).astype("float32"), rng.integers(3, size=60)
    counts = []
    for size in (1, 7, 60):
        vectors = LabelledVectors(3, neighbors=4, margin=0.02, max_vectors=60)
        for i in range(0, 60, size):
            vectors.learn(x[i : i + size], y[i : i + size])
        counts.append(vectors.counts)
    assert counts[0] == counts[1] == counts[2]


def test_averages_of_what_is_read_correctly():
    vectors = AveragedVectors(2, max_vectors=5)
    vectors.learn(np.array([[1, 0], [0.8, 0.6], [0, 2]], "float32"), [0, 0, 1])
    assert vectors.counts == (1, 1)
    mean = np.array([1.8, 0.6]) / np.hypot(1.8, 0.6)
    np.testing.assert_allclose(vectors.vectors(), [mean, [0, 1]], rtol=1e-6)


def test_the_scale_has_the_least_cross_entropy(learned):
    model, _ = learned
    validation = bars(30, seed=1)
    noisy = [
        (images, np.where(np.arange(len(labels)) % 4, labels, (labels + 1) % 3))
        for images, labels in validation
    ]
    scale, accuracy = calibrate(model, noisy)
    scores, labels = logits(model, noisy) / scale, labels_of(noisy)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    losses = {factor: float(loss(labels, factor * scale * scores)) for factor in (0.9, 1.0, 1.1)}
    assert losses[1.0] == min(losses.values())
    assert accuracy == pytest.approx((scores.argmax(1) == labels).mean())
    calibrate(model, validation)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"learning_threshold": 1.0},
            r"`learning_threshold` must be in \[0, 1\); got learning_thr",
        ),
        ({"activity": -1}, r"`activity` must be in \[0, 1\); got activity=-1"),
        ({"margin": -0.1}, r"`margin` must be in \[0, 2\); got margin=-0.1"),
        ({"max_cells": 0}, "`max_cells` must be an int of at least 1"),
        ({"rule": "winner"}, "`rule` must be one of 'add_if_silent', 'winner_take_all', 'winner_k"),
        ({"top_rule": "all"}, "`top_rule` must be one of 'misread', 'winner_take_all'"),
    ],
)
def test_wrong_settings(settings, sentence):
    with pytest.raises(ValueError, match=sentence):
        SelfOrganization(**settings)


def test_too_many_cells_and_vectors():
    few = SelfOrganization(max_cells=2, learning_threshold=0.9)
    sentence = "'stage2_s_cells' cell 3 was created with max_cells=2: raise `max_cells`, or"
    with pytest.raises(ValueError, match=sentence):
        self_organize(small_model(), {"train": bars()}, few)
    few = SelfOrganization(max_vectors=2, stage_images=20)
    with pytest.raises(
        ValueError, match="got vector 3 with max_vectors=2: raise `max_vectors`, or"
    ):
        self_organize(small_model(), {"train": bars()}, few)
    few = SelfOrganization(max_vectors=2, top_rule="winner_take_all", stage_images=20)
    with pytest.raises(ValueError, match="got vector 3 with max_vectors=2: raise `max_vectors`."):
        self_organize(small_model(), {"train": bars()}, few)


def test_images_that_teach_nothing():
    blank = [(np.ones((16, 16, 16, 1), "float32") * 0, np.arange(16) % 3)]
    with pytest.raises(
        ValueError, match="'stage2_s_cells' no cell responds to any of the 16 images"
    ):
        self_organize(small_model(), {"train": blank})
    with pytest.raises(ValueError, match="got 2 images of 3 classes: add images"):
        self_organize(small_model(), {"train": [(bars()[0][0][:2], np.array([0, 1]))]})
    images, labels = bars(16)[0]
    images = np.concatenate([images, 0 * images[:2]])
    labels = np.concatenate([labels, labels[:2]])
    with pytest.warns(SilentImageWarning, match="2 of 18 training images have no contrast"):
        model, _ = self_organize(small_model(), {"train": [(images, labels)]}, SMALL)
    assert np.isfinite(model.predict_on_batch(images)).all()


def test_only_models_that_end_in_vectors():
    with pytest.raises(ValueError, match="must end in a layer `InterpolatingVectors`, .* in Dense"):
        self_organize(create_model("lenet5"), {"train": bars()})


def test_a_model_of_ones_own_and_channels_first(learned):
    keras.config.set_image_data_format("channels_first")
    try:
        inputs = keras.Input((1, 16, 16))
        x = layers.ContrastExtraction2D()(inputs)
        x = layers.CCells2D()(layers.SCells2D(1, 5, 0.5)(x))
        x = layers.CCells2D()(layers.SCells2D(1, 3, 0.5)(x))
        outputs = layers.InterpolatingVectors((1, 1, 1))(keras.layers.Flatten()(x))
        model = keras.Model(inputs, outputs)
    finally:
        keras.config.set_image_data_format("channels_last")
    data = {"train": [(np.moveaxis(images, -1, 1), labels) for images, labels in bars()]}
    model, history = self_organize(model, data, SMALL)
    assert len({row["stage"] for row in history}) == 3
    assert (logits(model, data["train"]).argmax(1) == labels_of(bars())).mean() > 0.9


def test_a_run_resumes_after_the_last_stage(tmp_path, learned, monkeypatch):
    data = {"train": bars(), "validation": bars(30, seed=1)}
    learning, recipe = SelfOrganizing(SMALL), Recipe(epochs=1)
    run = RunFolder(tmp_path / "run")

    def interrupt(self, features, labels):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(LabelledVectors, "learn", interrupt)
        with pytest.raises(KeyboardInterrupt):
            learning.learn(small_model(), data, recipe, run, progress=False)
    assert [path.name for path in run.checkpoints.iterdir()] == ["stage_1.npz"]
    with monkeypatch.context() as patch:  # which is not learned again
        patch.setattr(Competition, "learn", interrupt)
        history = learning.learn(small_model(), data, recipe, run, progress=False)
    stages = list(dict.fromkeys(row["stage"] for row in history))
    assert stages == ["stage2_s_cells", "logits"]
    assert history == learning.learn(small_model(), data, recipe, run, progress=False)
    for ours, theirs in zip(run.load_model().get_weights(), learned[0].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert json.loads(run.recipe_path.read_text())["training"]["epochs"] == 1
    assert list(learning.figures(history)) == ["learning_curves"]
    assert learning.numbers(history)["cells"]["logits"] == sum(
        learned[0].get_layer("logits").counts
    )


def test_half_precision_is_refused(tmp_path):
    recipe = Recipe(epochs=1, precision="mixed_bfloat16")
    with pytest.raises(
        ValueError, match="`precision` must be 'float32' for a self-organizing model"
    ):
        SelfOrganizing(SMALL).learn(small_model(), {}, recipe, RunFolder(tmp_path / "run"))
    assert not (tmp_path / "run").exists()
