"""Keras's private APIs: there with the installed version, and needed for a summary only."""

import keras
import numpy as np
import pytest

import kerascnn
from kerascnn.backend import private_keras
from tests.models.summaries import rows_by_name


def model_with_a_block():
    inputs = keras.Input((8, 8, 3))
    x = kerascnn.layers.GroupConv2D(6, 3, groups=3, name="conv")(inputs)
    x = kerascnn.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Pipeline([keras.layers.Conv2D(4, 3)], name="block")(x)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    return keras.Model(inputs, keras.layers.Dense(2, name="head")(x))


# What is lost without each hook, in the order of `private_keras`
HOOKS = {
    "_run_through_graph": "Output shapes, multiply-adds and receptive fields cannot be computed",
    "_flatten_layers": "Multiply-adds and receptive fields of composite layers cannot be",
    "_inbound_nodes": "Multiply-adds and receptive fields of composite layers cannot be",
    "_outbound_nodes": "Multiply-adds and receptive fields of composite layers cannot be",
}


@pytest.fixture
def without(monkeypatch):
    found = private_keras._found

    def remove(hook):
        monkeypatch.setattr(
            private_keras,
            "_found",
            lambda owner, name: None if name == hook else found(owner, name),
        )

    return remove


def test_the_hooks_work():
    model = model_with_a_block()
    operations = []

    def visited(operation):
        operations.append(operation.name)
        return operation

    y = private_keras.run_graph(model, [np.ones((1, 8, 8, 3), "float32")], visited)
    assert tuple(y.shape) == (1, 2)
    assert operations == ["conv", "norm", "block", "pool", "head"]
    conv = model.get_layer("block").layers[0]
    assert private_keras.sublayers(model.get_layer("block")) == [conv]
    assert conv not in private_keras.sublayers(model)
    assert conv in private_keras.sublayers(model, recursive=True)
    before, after = private_keras.call_records(model.get_layer("norm"))
    assert (len(before), len(after)) == (1, 1)
    model.get_layer("norm")(keras.Input((6, 6, 6)))
    assert len(before) == 2
    assert private_keras.losses() == ()


@pytest.mark.parametrize("hook", HOOKS)
def test_a_summary_says_what_is_lost_without_a_hook(hook, without):
    model = model_with_a_block()
    expected = rows_by_name(model)
    assert expected["block"].multiply_adds == 4 * 4 * 9 * 6 * 4
    without(hook)
    found = kerascnn.summary(model)
    (note,) = found.notes
    assert note.startswith(HOOKS[hook])
    assert note == str(found).splitlines()[-1]
    assert found.parameters == model.count_params()
    rows = {row.name: row for row in found.rows}
    assert rows["block"].multiply_adds is None
    assert rows["block"].receptive_field is None
    if hook == "_run_through_graph":
        assert list(rows) == [layer.name for layer in model.layers]
        assert rows["conv"].output_shape is None
    else:
        assert rows["conv"] == expected["conv"]
        assert rows["head"] == expected["head"]


@pytest.mark.parametrize("hook", HOOKS)
def test_a_model_trains_without_a_hook(hook, without):
    without(hook)
    model = model_with_a_block()
    model.compile("sgd", "mse")
    before = keras.ops.convert_to_numpy(model.get_layer("conv").kernel)
    model.fit(np.ones((2, 8, 8, 3)), np.ones((2, 2)), verbose=0)
    assert np.abs(keras.ops.convert_to_numpy(model.get_layer("conv").kernel) - before).max() > 0
