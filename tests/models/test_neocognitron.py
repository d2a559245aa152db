import numpy as np
import pytest

from kerascnn import summary
from kerascnn.models import create_model
from kerascnn.models.rows import NeocognitronConfig
from tests.models.check_model import answers, channels_first


@pytest.mark.parametrize("name", ["neocognitron", "neocognitron_1980"])
def test_channels_first_gives_the_same(name):
    x = np.random.default_rng(0).uniform(size=(2, 16, 16, 3)).astype("float32")
    model = create_model(name, (16, 16, 3), 4)
    y = answers(model, x)
    assert y.shape == (2, 4)
    with channels_first():
        turned = create_model(name, (3, 16, 16), 4)
        assert [w.path.split("/", 1)[-1] for w in turned.weights] == [
            w.path.split("/", 1)[-1] for w in model.weights
        ]
        turned.set_weights(model.get_weights())  # Keras flattens channels last in both
        found = answers(turned, np.moveaxis(x, -1, 1))
    np.testing.assert_allclose(found, y, rtol=1e-3, atol=1e-4)


def test_layers_of_the_paper_of_1980():
    # Fukushima, 1980, section 4.1: 16x16x24, 10x10x24, 8x8x24, 6x6x24, 2x2x24, 1x1x24
    model = create_model("neocognitron_1980")
    sizes = [
        model.get_layer(f"stage{stage}_{kind}_cells").output.shape[1:]
        for stage in (1, 2, 3)
        for kind in "sc"
    ]
    assert sizes == [(size, size, 24) for size in (16, 10, 8, 6, 2, 1)]
    kernels = [model.get_layer(f"stage{stage}_s_cells").kernel.shape for stage in (1, 2, 3)]
    assert kernels == [(5, 5, 1, 24), (5, 5, 24, 24), (5, 5, 24, 24)]


def test_shapes_of_the_later_form():
    model = create_model("neocognitron", cells=189)
    shapes = {layer.name: layer.output.shape[1:] for layer in model.layers}
    assert shapes["contrast"] == (32, 32, 2)
    assert shapes["stage1_s_cells"] == (32, 32, 16)
    assert shapes["stage1_c_cells"] == (16, 16, 16)
    assert shapes["stage2_s_cells"] == (16, 16, 189)
    assert shapes["stage2_c_cells"] == (6, 6, 189)
    assert shapes["head_flatten"] == (6804,)
    assert [w.path.split("/")[-2] for w in model.trainable_weights] == ["stage2_s_cells"]
    rows = {row.name: row for row in summary(model).rows}
    assert rows["stage1_s_cells"].receptive_field == (11, 11)
    assert rows["stage2_c_cells"].stride == (6, 6)
    assert rows["stage2_s_cells"].multiply_adds == 16 * 16 * 9 * (16 * 189 + 1)


def test_gray_and_equal_colors_give_the_same():
    x = np.random.default_rng(0).uniform(size=(2, 16, 16, 1)).astype("float32")
    gray, color = (create_model("neocognitron", (16, 16, c), 3) for c in (1, 3))
    color.set_weights(gray.get_weights())
    np.testing.assert_allclose(answers(color, np.repeat(x, 3, 3)), answers(gray, x), atol=1e-5)


def test_any_size_and_number_of_classes():
    for name in ("neocognitron", "neocognitron_1980"):
        model = create_model(name, (21, 34, 3), 7)
        assert answers(model, np.ones((2, 21, 34, 3), "float32")).shape == (2, 7)
    assert create_model(NeocognitronConfig(orientations=8)).output_shape == (None, 10)
    features = create_model("neocognitron", features_only=True).output
    assert {stride: tensor.shape[1] for stride, tensor in features.items()} == {2: 16, 6: 6}
    with pytest.raises(ValueError, match="must have a known height and width"):
        create_model("neocognitron", (None, None, 1))
    with pytest.raises(ValueError, match="height and width of at least 8 pixels"):
        create_model("neocognitron", (7, 28, 1))


def test_a_blank_image_is_of_every_class_alike():
    for name in ("neocognitron", "neocognitron_1980"):
        y = answers(create_model(name, (16, 16, 1), 3), np.zeros((1, 16, 16, 1), "float32"))
        assert np.isfinite(y).all()
        assert np.ptp(y) < 1e-6
