import keras
import numpy as np
import pytest

from kerascnn import layers
from kerascnn.models import create_model
from kerascnn.models.zfnet import VARIANTS
from tests.models.check_model import channels_first


# Zeiler and Fergus, 2013, figure 3
@pytest.mark.usefixtures("without_weights")
def test_parameters_and_sizes_of_the_paper():
    model = create_model("zfnet")
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        7 * 7 * 3 * 96 + 96,
        5 * 5 * 96 * 256 + 256,
        3 * 3 * 256 * 384 + 384,
        3 * 3 * 384 * 384 + 384,
        3 * 3 * 384 * 256 + 256,
        6 * 6 * 256 * 4096 + 4096,
        4096 * 4096 + 4096,
        4096 * 1000 + 1000,
    ]
    kinds = (layers.GroupConv2D, keras.layers.MaxPooling2D)
    sizes = [layer.output.shape[1] for layer in model.layers if isinstance(layer, kinds)]
    assert sizes == [110, 55, 26, 13, 13, 13, 13, 6]


def test_normalizes_after_the_pooling():
    names = [layer.name for layer in create_model("zfnet", include_top=False).layers]
    assert names[1:7] == [
        f"stage{stage}_{kind}" for stage in (1, 2) for kind in ("conv1", "pool", "lrn")
    ]


def test_pooling_takes_in_the_last_pixel_as_with_rounding_up():
    # On even sizes, "same" has its zeros after the image only.
    x = np.random.default_rng(0).uniform(size=(1, 110, 26, 2)).astype("float32")
    y = keras.ops.convert_to_numpy(keras.layers.MaxPooling2D(3, 2, padding="same")(x))
    for h, w in ((0, 0), (54, 12), (20, 3)):
        window = x[0, 2 * h : 2 * h + 3, 2 * w : 2 * w + 3]
        np.testing.assert_array_equal(y[0, h, w], window.max((0, 1)))


def test_smallest_images():
    assert create_model("zfnet", (53, 53, 3), include_top=False).output_shape[1:3] == (1, 1)
    with pytest.raises(ValueError, match="of at least 53 pixels; got"):
        create_model("zfnet", (52, 224, 3))


def test_channels_first():
    with channels_first():
        model = create_model(VARIANTS["zfnet"], (3, 224, 224))
    assert model.count_params() == 62_357_608
