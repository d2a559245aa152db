import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import CropLike2D
from tests.gradients import value_and_gradients
from tests.layers.images import in_data_format, random_arrays


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("offset", [0, 1, (3, 0)])
def test_values_and_gradient_follow_the_formula(offset, data_format):
    view = in_data_format(data_format)
    x, like, dy = random_arrays((2, 7, 8, 3), (1, 4, 6, 5), (2, 4, 6, 3))
    layer = CropLike2D(offset, data_format)
    y, (gradient,) = value_and_gradients(
        lambda x: layer([x, view(like)]), [view(x)], upstream=view(dy)
    )
    np.testing.assert_array_equal(y, view(reference.crop_like2d(x, like, offset)))
    np.testing.assert_array_equal(gradient, view(reference.crop_like2d_backward(dy, x, offset)))


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("of_layer", [True, False])
def test_contract(tmp_path, of_layer, dtype):
    layer = CropLike2D((0, 1), dtype=dtype)
    assert CropLike2D.from_config(layer.get_config()).get_config() == layer.get_config()
    inputs, like = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    if of_layer:
        outputs = layer([inputs, like])
        assert outputs.dtype == layer.compute_dtype
    else:
        outputs = ops.crop_like2d(inputs, like, (0, 1))
    assert outputs.shape == (None, None, None, 3)
    model = keras.Model([inputs, like], outputs)
    x = np.arange(2 * 5 * 4 * 3, dtype="float32").reshape(2, 5, 4, 3)
    y = np.zeros((2, 5, 2, 1), "float32")
    model.save(tmp_path / "model.keras")
    for candidate in (model, keras.saving.load_model(tmp_path / "model.keras")):
        found = candidate.predict([x, y], verbose=0)
        np.testing.assert_array_equal(found.astype("float32"), x[:, :, 1:3])
    fixed = layer([keras.Input((5, 4, 3)), keras.Input((None, 2, 1))])
    assert fixed.shape == (None, None, 2, 3)


@pytest.mark.parametrize(
    ("shape", "like", "offset", "sentence"),
    [
        ((1, 4, 4, 3), (1, 5, 4, 3), 0, r"not be higher or wider .*; got shape \(1, 5, 4, 3\)"),
        ((1, 4, 4, 3), (1, 4, 4, 3), (0, 1), r"with offset=\(0, 1\) and input shape"),
        ((1, 4, 4, 3), (4, 4, 3), 0, "`like` must have rank 4; got rank 3"),
    ],
)
def test_wrong_shapes_fail_alike_eagerly_and_symbolically(shape, like, offset, sentence):
    for kind in (lambda shape: np.zeros(shape, "float32"), lambda s: keras.Input(batch_shape=s)):
        for call in (CropLike2D(offset), lambda pair: ops.crop_like2d(*pair, offset)):
            with pytest.raises(ValueError, match=sentence):
                call([kind(shape), kind(like)])


def test_wrong_arguments():
    with pytest.raises(ValueError, match="each at least 0; got offset=-1"):
        CropLike2D(-1)
    with pytest.raises(ValueError, match="`data_format` must be one of"):
        CropLike2D(data_format="NHWC")
