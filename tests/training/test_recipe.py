import dataclasses

import keras
import numpy as np
import pytest

from kerascnn.data import Augmentation
from kerascnn.training import Recipe, precision_scope


def rates(recipe, steps=100, **kwargs):
    schedule = recipe.make_optimizer(steps, **kwargs)._learning_rate
    return [float(schedule(step)) for step in range(steps)] if callable(schedule) else schedule


def test_cosine():
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(100) / 100)) / 2
    np.testing.assert_allclose(
        rates(Recipe(epochs=1, learning_rate=0.1)), expected, rtol=1e-4, atol=1e-7
    )


def test_cosine_with_warmup():
    found = rates(Recipe(epochs=1, learning_rate=0.1), warmup_steps=20)
    np.testing.assert_allclose(found[:20], 0.1 * np.arange(20) / 20, rtol=1e-4, atol=1e-7)
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(80) / 80)) / 2
    np.testing.assert_allclose(found[20:], expected, rtol=1e-4, atol=1e-7)


def test_steps():
    found = rates(Recipe(epochs=1, learning_rate=0.1, schedule="steps"), warmup_steps=4)
    np.testing.assert_allclose([found[i] for i in (0, 4)], 0.01, rtol=1e-5)
    np.testing.assert_allclose(
        [found[i] for i in (5, 50, 51, 75, 76)], [0.1, 0.1, 0.01, 0.01, 0.001], rtol=1e-5
    )


def test_constant():
    optimizer = Recipe(epochs=1, learning_rate=0.1, schedule="constant").make_optimizer(100)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)


def test_a_rate_of_zero_is_a_rate():
    optimizer = Recipe(epochs=1, schedule="constant").make_optimizer(10, learning_rate=0.0)
    assert float(optimizer.learning_rate) == 0


def test_optimizers():
    sgd = Recipe(epochs=1, optimizer="sgd", weight_decay=1e-3, ema=0.9).make_optimizer(10)
    assert isinstance(sgd, keras.optimizers.SGD)
    assert (sgd.momentum, sgd.nesterov, sgd.weight_decay) == (0.9, True, 1e-3)
    assert (sgd.use_ema, sgd.ema_momentum) == (True, 0.9)
    adamw = Recipe(epochs=1, weight_decay=0.1).make_optimizer(10)
    assert isinstance(adamw, keras.optimizers.AdamW)
    assert not adamw.use_ema


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_no_weight_decay_leaves_weights_without_gradients_alone(optimizer):
    made = Recipe(epochs=1, optimizer=optimizer, weight_decay=0.0).make_optimizer(10)
    kernel = keras.Variable(np.ones((2, 2), "float32"))
    made.apply([np.zeros((2, 2), "float32")], [kernel])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(kernel), 1)


def test_built_in_a_precision():
    with precision_scope("mixed_float16"):
        assert keras.layers.Dense(1).compute_dtype == "float16"
    assert keras.layers.Dense(1).compute_dtype == "float32"
    with (
        pytest.raises(ValueError, match="`precision` must be one of 'float32'"),
        precision_scope("half"),
    ):
        pass
    assert keras.config.dtype_policy().name == "float32"


def test_a_recipe_is_plain_data():
    recipe = Recipe(epochs=2, augmentation=Augmentation(flip=True))
    assert dataclasses.asdict(recipe)["augmentation"]["flip"] is True


@pytest.mark.parametrize(
    ("option", "sentence"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1; got epochs=0"),
        ({"batch_size": 0}, "got batch_size=0"),
        ({"learning_rate": -1.0}, "got learning_rate=-1.0"),
        ({"weight_decay": float("nan")}, "got weight_decay=nan"),
        ({"label_smoothing": 1.0}, "got label_smoothing=1.0"),
        ({"ema": -0.1}, "got ema=-0.1"),
        ({"frozen_epochs": 1}, "got frozen_epochs=1 with epochs=1"),
        ({"optimizer": "adam"}, "`optimizer` must be one of 'adamw', 'sgd'"),
        ({"schedule": "linear"}, "`schedule` must be one of"),
        ({"precision": "half"}, "`precision` must be one of"),
    ],
)
def test_wrong_numbers(option, sentence):
    with pytest.raises(ValueError, match=sentence):
        Recipe(**{"epochs": 1, **option})
