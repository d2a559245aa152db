import numpy as np
import pytest

from kerascnn.models import create_model
from kerascnn.models.edsr import MEAN
from kerascnn.models.rows import EDSRConfig
from tests.models.check_image_model import check_any_size, check_image_model


def test_contract():
    config = EDSRConfig(4, depth=1, width=4)
    check_image_model(lambda shape: create_model(config, shape), factor=4, size=(5, 7))


@pytest.mark.parametrize("factor", [2, 3])
def test_factors(factor):
    config = EDSRConfig(factor, depth=1, width=4)
    check_any_size(lambda shape: create_model(config, shape), factor=factor, size=(5, 7))


def test_computes_in_the_range_of_the_authors():
    model = create_model("edsr_baseline_x2", (4, 4, 3), depth=1, width=4)
    for layer in model.layers:
        layer.set_weights([np.zeros_like(array) for array in layer.get_weights()])
    x = np.random.default_rng(0).uniform(size=(1, 4, 4, 3)).astype("float32")
    expected = np.broadcast_to(MEAN, (1, 8, 8, 3))
    np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5)
    model.get_layer("head_conv").bias.assign([255.0, 0.0, 0.0])
    np.testing.assert_allclose(model.predict(x, verbose=0), expected + [1, 0, 0], rtol=1e-5)


def test_wrong_arguments():
    with pytest.raises(ValueError, match=r"3 channels, red, green and blue; got \(8, 8, 1\)"):
        create_model("edsr_baseline_x2", (8, 8, 1))
    with pytest.raises(ValueError, match="`factor` must be one of 2, 3, 4; got factor=5"):
        create_model(EDSRConfig(factor=5))
    for option in ("width", "depth"):
        with pytest.raises(ValueError, match=f"int of at least 1; got {option}=0"):
            create_model("edsr_baseline_x2", (8, 8, 3), **{option: 0})
