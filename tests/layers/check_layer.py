"""What every layer owes its users, whatever it computes."""

import json
import tempfile
from pathlib import Path

import keras
import numpy as np
from keras.src.backend import standardize_dtype


def check_layer(cls, arguments, input_shape, output_shape, dtype="float32"):
    """Checks config, shapes, unknown sizes, mixed precision, a training step and saving."""
    x = np.random.default_rng(0).normal(size=input_shape).astype(dtype)
    check_config(cls, arguments)
    check_shapes(cls, arguments, x, output_shape)
    check_unknown_sizes(cls, arguments, x, output_shape)
    for policy in ("mixed_float16", "mixed_bfloat16"):
        check_mixed_precision(cls, arguments, x, policy)
    check_training_and_saving(cls, arguments, x)


def check_config(cls, arguments):
    layer = cls(**arguments)
    config = json.loads(json.dumps(layer.get_config()))
    assert cls.from_config(config).get_config() == layer.get_config()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert type(again) is cls


def check_shapes(cls, arguments, x, output_shape):
    layer = cls(**arguments)
    symbolic = layer(keras.Input(batch_shape=x.shape))
    assert tuple(symbolic.shape) == output_shape
    assert tuple(layer.compute_output_shape(x.shape)) == output_shape
    y = layer(x)
    assert tuple(y.shape) == output_shape
    assert standardize_dtype(y.dtype) == standardize_dtype(symbolic.dtype) == "float32"


def check_unknown_sizes(cls, arguments, x, output_shape):
    channel_axis = 1 if arguments.get("data_format") == "channels_first" else -1
    unknown = [None] * x.ndim
    unknown[channel_axis] = x.shape[channel_axis]
    inputs = keras.Input(batch_shape=unknown)
    outputs = cls(**arguments)(inputs)
    assert len(outputs.shape) == len(output_shape)
    assert outputs.shape[0] is None
    model = keras.Model(inputs, outputs)
    assert model.predict(x, verbose=0).shape == output_shape
    assert model.predict(np.concatenate([x, x]), verbose=0).shape[0] == 2 * x.shape[0]


def check_mixed_precision(cls, arguments, x, policy):
    layer = cls(**arguments, dtype=policy)
    for training in (False, True):
        # Not every layer takes `training`; Keras passes it on to those that do.
        model = keras.Sequential([keras.Input(x.shape[1:]), layer])
        y = model(x, training=training)
        assert standardize_dtype(y.dtype) == keras.DTypePolicy(policy).compute_dtype
        assert np.isfinite(keras.ops.convert_to_numpy(keras.ops.cast(y, "float32"))).all()
    for weight in layer.trainable_weights:
        assert weight.dtype == "float32"


def check_training_and_saving(cls, arguments, x):
    inputs = keras.Input(x.shape[1:])
    # A layer in front, so that a gradient has to flow through the layer to the input.
    model = keras.Model(inputs, cls(**arguments)(keras.layers.Rescaling(1.0)(inputs)))
    # Not worth a graph: test_every_layer.py compares gradients in graphs and under XLA.
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() != "jax")
    before = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    target = np.ones((x.shape[0], *model.output_shape[1:]), "float32")
    model.fit(x, target, epochs=1, verbose=0)
    after = [keras.ops.convert_to_numpy(weight) for weight in model.trainable_weights]
    assert all(np.abs(a - b).max() > 0 for a, b in zip(after, before, strict=True))

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.keras"
        model.save(path)
        again = keras.saving.load_model(path, safe_mode=True)
    found, expected = (keras.ops.convert_to_numpy(one(x, training=False)) for one in (again, model))
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
