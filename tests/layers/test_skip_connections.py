import keras
import numpy as np
import pytest

from kerascnn.layers import ChannelShuffle, dense_connection, residual_connection

X = np.random.default_rng(0).normal(size=(2, 4, 5, 3)).astype("float32")


def to_numpy(y):
    return keras.ops.convert_to_numpy(y)


def conv(filters, **arguments):
    return keras.layers.Conv2D(filters, 3, padding="same", **arguments)


def test_values():
    def double(x):
        return 2.0 * x

    def square(x):
        return x * x

    np.testing.assert_allclose(to_numpy(residual_connection(X, square)), X + X**2, rtol=1e-6)
    np.testing.assert_allclose(
        to_numpy(residual_connection(X, square, shortcut=double)), 2 * X + X**2, rtol=1e-6
    )
    for axis in (-1, 3, 1):
        np.testing.assert_allclose(
            to_numpy(dense_connection(X, square, axis)), np.concatenate([X, X**2], axis), rtol=1e-6
        )


@pytest.mark.parametrize("size", [(4, 5), (None, None)])
def test_a_functional_model_trains_and_is_saved(size, tmp_path):
    inputs = keras.Input((*size, 3))
    x = residual_connection(inputs, conv(3))
    x = residual_connection(x, conv(8, strides=2), shortcut=keras.layers.Conv2D(8, 1, strides=2))
    x = dense_connection(x, conv(4))
    x = dense_connection(x, keras.Sequential([conv(4), ChannelShuffle(2)]))
    model = keras.Model(inputs, x)
    assert model.output_shape == (None, *(None if n is None else (n + 1) // 2 for n in size), 16)
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, np.ones((2, 2, 3, 16)), verbose=0)
    assert all(np.abs(a - b).max() > 0 for a, b in zip(model.get_weights(), before, strict=True))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(
        again.predict(X, verbose=0), model.predict(X, verbose=0), rtol=1e-5, atol=1e-6
    )


def test_what_one_side_knows_of_the_shape_is_known():
    inputs = keras.Input((None, 5, 3))
    y = residual_connection(inputs, keras.layers.Lambda(lambda x: x, output_shape=(4, None, 3)))
    assert y.shape == (None, 4, 5, 3)


@pytest.mark.parametrize("connect", [residual_connection, dense_connection])
@pytest.mark.parametrize(("dtype", "other"), [("float16", "float32"), ("float32", "float16")])
def test_the_dtype_of_the_shortcut_stays(connect, dtype, other):
    branch = keras.layers.Activation("relu", dtype=other)
    assert connect(keras.Input((3,), dtype=dtype), branch).dtype == dtype
    y = connect(keras.ops.ones((2, 3), dtype), branch)
    assert keras.backend.standardize_dtype(y.dtype) == dtype


@pytest.mark.parametrize(
    ("connect", "sentence"),
    [
        (
            lambda x: residual_connection(x, conv(7)),
            r"branch and the shortcut must have the same shape; "
            r"got \(2, 4, 5, 7\) from the branch and \(2, 4, 5, 3\) from the shortcut",
        ),
        # These two would be broadcast by `+`.
        (lambda x: residual_connection(x, conv(1)), r"got \(2, 4, 5, 1\) from the branch"),
        (
            lambda x: residual_connection(x, keras.layers.GlobalAveragePooling2D()),
            r"got \(2, 3\) from the branch and \(2, 4, 5, 3\) from the shortcut",
        ),
        (
            lambda x: residual_connection(x, conv(7), shortcut=conv(6)),
            r"got \(2, 4, 5, 7\) from the branch and \(2, 4, 5, 6\) from the shortcut",
        ),
        (
            lambda x: dense_connection(x, conv(7, strides=2)),
            r"The branch must keep the shape of its input except on axis 3; "
            r"got \(2, 2, 3, 7\) from the branch for input shape \(2, 4, 5, 3\)",
        ),
        (
            lambda x: dense_connection(x, keras.layers.GlobalAveragePooling2D()),
            r"got \(2, 3\) from the branch for input shape \(2, 4, 5, 3\)",
        ),
        (lambda x: dense_connection(x, conv(3), axis=4), "`axis` must name an axis of the input"),
    ],
)
def test_other_shapes_fail_alike_eagerly_and_symbolically(connect, sentence):
    with pytest.raises(ValueError, match=sentence):
        connect(X)
    with pytest.raises(ValueError, match=sentence):
        connect(keras.Input(batch_shape=X.shape))


def test_a_shape_that_is_known_late_is_not_broadcast_either():
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, residual_connection(inputs, keras.layers.MaxPooling2D((4, 5))))
    with pytest.raises(ValueError, match=r"got \(2, 1, 1, 3\) from the branch"):
        model(X)
