import keras
import pytest

from kerascnn.models import create_model, model_info
from kerascnn.models.rows import ESPCNConfig
from tests.models.check_image_model import check_image_model


def test_contract():
    check_image_model(lambda shape: create_model(ESPCNConfig(3), shape), channels=1, factor=3)


def test_takes_any_size_by_default():
    model = create_model("espcn_x3")
    assert model.input_shape == model.output_shape == (None, None, None, 1)
    assert model(keras.ops.ones((1, 5, 7, 1))).shape == (1, 15, 21, 1)


def test_factor():
    assert [model_info(f"espcn_x{factor}").factor for factor in (2, 3, 4)] == [2, 3, 4]
    with pytest.raises(ValueError, match="`factor` must be an int of at least 1; got factor=0"):
        create_model(ESPCNConfig(factor=0))
