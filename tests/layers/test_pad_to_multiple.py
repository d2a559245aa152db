import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import PadToMultiple2D
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.layers.images import in_data_format, random_arrays, shape_in


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("mode", ["reflect", "zeros"])
def test_contract(mode, data_format):
    check_layer(
        PadToMultiple2D,
        {"multiple": (4, 3), "margin": 1, "mode": mode, "data_format": data_format},
        input_shape=shape_in(data_format, (2, 5, 7, 3)),
        output_shape=shape_in(data_format, (2, 8, 9, 3)),
    )


@pytest.mark.parametrize("mode", ["reflect", "zeros"])
@pytest.mark.parametrize("size", [(4, 5), (1, 2), (1, 1)])
@pytest.mark.parametrize(
    "arguments",
    [
        {"multiple": 4},
        {"multiple": (1, 16), "margin": (0, 11)},
        {"multiple": 8, "margin": 3, "remainder": (7, 0)},
    ],
)
def test_values_and_gradients_follow_the_formula(arguments, size, mode):
    (x,) = random_arrays((2, *size, 3))
    expected = reference.pad_to_multiple2d(x, **arguments, mode=mode)
    (dy,) = random_arrays(expected.shape, seed=1)
    dx = reference.pad_to_multiple2d_backward(dy, x, **arguments, mode=mode)
    for data_format in ("channels_last", "channels_first"):
        view = in_data_format(data_format)
        layer = PadToMultiple2D(**arguments, mode=mode, data_format=data_format)
        y, (gradient,) = value_and_gradients(layer, [view(x)], upstream=view(dy))
        np.testing.assert_array_equal(y, view(expected))
        np.testing.assert_allclose(gradient, view(dx), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("before", "after"), [(2, 1), (4, 4), (0, 3)])
def test_mirrors_as_numpy(before, after):
    (x,) = random_arrays((1, 5, 6, 2))
    expected = np.pad(x, ((0, 0), (before, after), (before, after), (0, 0)), mode="reflect")
    y = ops.pad_to_multiple2d(x, 1, margin=before)[:, : 5 + before + after, : 6 + before + after]
    kept = tuple(slice(size) for size in y.shape)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(y), expected[kept])


def test_whole_multiples_stay_as_they_are():
    x = np.arange(64, dtype="uint8").reshape(1, 8, 8, 1)
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(ops.pad_to_multiple2d(x, 4)), x)


def test_op_is_a_node_of_a_functional_model(tmp_path):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, ops.pad_to_multiple2d(inputs, 8, margin=(2, 5)))
    assert model.output_shape == (None, None, None, 3)
    (x,) = random_arrays((2, 3, 1, 3))
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    expected = reference.pad_to_multiple2d(x, 8, (2, 5))
    np.testing.assert_array_equal(again.predict(x, verbose=0), expected)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"multiple": 0}, "`multiple` must be an int or a pair of ints, each at least 1"),
        ({"multiple": 2, "margin": -1}, "each at least 0; got margin=-1"),
        ({"multiple": 2, "remainder": 2}, r"less than `multiple`; got remainder=\(2, 2\) with"),
        ({"multiple": 2, "mode": "same"}, "one of 'reflect', 'zeros'; got mode='same'"),
        ({"multiple": 2, "data_format": "NHWC"}, "`data_format` must be one of"),
    ],
)
def test_wrong_arguments(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        PadToMultiple2D(**arguments)
    with pytest.raises(ValueError, match=sentence):
        ops.pad_to_multiple2d(np.zeros((1, 8, 8, 3), "float32"), **arguments)


@pytest.mark.parametrize(
    ("shape", "sentence"),
    [
        ((4, 8, 3), "`inputs` must have rank 4; got rank 3"),
        ((1, 0, 8, 3), r"at least one pixel along each axis; got input shape \(1, 0, 8, 3\)"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(shape, sentence):
    for call in (PadToMultiple2D(4), lambda x: ops.pad_to_multiple2d(x, 4)):
        for x in (np.zeros(shape, "float32"), keras.Input(batch_shape=shape)):
            with pytest.raises(ValueError, match=sentence):
                call(x)
