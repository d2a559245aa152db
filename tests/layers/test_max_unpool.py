import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import MaxPoolWithArgmax2D, MaxUnpool2D
from tests.gradients import value_and_gradients
from tests.layers.images import in_data_format, random_arrays
from tests.layers.test_max_pool_with_argmax import distinct


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("pool_size", [(2, 2), (3, 2)])
@pytest.mark.parametrize("size", [(6, 8), (7, 5)])
def test_values_and_gradient_follow_the_formula(size, pool_size, padding, data_format):
    view = in_data_format(data_format)
    image = distinct((2, *size, 3))
    pooled, indices = reference.max_pool2d(image, pool_size, None, padding)
    (dy,) = random_arrays(image.shape)
    y, (gradient,) = value_and_gradients(
        lambda x: ops.max_unpool2d(x, view(indices), view(image), pool_size, padding, data_format),
        [view(pooled)],
        view(dy),
    )
    np.testing.assert_array_equal(y, view(reference.max_unpool2d(pooled, indices, *size)))
    dx = reference.max_unpool2d_backward(dy, indices)
    np.testing.assert_allclose(gradient, view(dx), rtol=1e-6)


@pytest.mark.extra("torch")
def test_equals_pytorch():
    import torch

    image = distinct((2, 3, 7, 8))
    pooled, indices = torch.nn.functional.max_pool2d(
        torch.from_numpy(image), 2, return_indices=True
    )
    expected = torch.nn.functional.max_unpool2d(pooled, indices, 2, output_size=(7, 8))
    layer = MaxUnpool2D(2, data_format="channels_first")
    found = layer([pooled.numpy(), indices.numpy().astype("int32"), image])
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(found), expected.numpy())


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_contract(tmp_path, padding, dtype):
    layer = MaxUnpool2D((2, 3), padding=padding, dtype=dtype)
    assert MaxUnpool2D.from_config(layer.get_config()).get_config() == layer.get_config()
    inputs = keras.Input((None, None, 3))
    pooled, indices = MaxPoolWithArgmax2D((2, 3), padding=padding, dtype=dtype)(inputs)
    outputs = layer([pooled, indices, inputs])
    assert outputs.shape == (None, None, None, 3)
    assert outputs.dtype == layer.compute_dtype
    model = keras.Model(inputs, outputs)
    x = (distinct((2, 5, 7, 3)) / 8).astype("float32")
    expected = reference.max_unpool2d(*reference.max_pool2d(x, (2, 3), None, padding), 5, 7)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    for candidate in (model, again):
        found = candidate.predict(x, verbose=0)
        np.testing.assert_array_equal(found.astype("float32"), expected)


def test_without_the_pooled_image_sizes_are_multiples():
    image = distinct((1, 4, 6, 2))
    pooled, indices = MaxPoolWithArgmax2D(2)(image)
    y = keras.ops.convert_to_numpy(MaxUnpool2D(2)([pooled, indices]))
    expected = reference.max_unpool2d(*reference.max_pool2d(image, (2, 2)), 4, 6)
    np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize(
    ("shapes", "sentence"),
    [
        (((1, 2, 2, 3), (1, 2, 3, 3)), r"got shape \(1, 2, 3, 3\) with input shape"),
        (((1, 2, 2, 3), (1, 2, 2, 3), (1, 6, 4, 3)), r"got shape \(1, 6, 4, 3\)"),
    ],
)
def test_wrong_arguments_fail_alike_eagerly_and_symbolically(shapes, sentence):
    with pytest.raises(ValueError, match=sentence):
        ops.max_unpool2d(*(np.zeros(shape, "float32") for shape in shapes))
    with pytest.raises(ValueError, match=sentence):
        ops.max_unpool2d(*(keras.Input(batch_shape=shape) for shape in shapes))
