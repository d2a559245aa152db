import keras
import numpy as np
import pytest

from kerascnn import reference
from kerascnn.models import create_model
from kerascnn.models.lenet import ORIGINAL_VARIANTS, DigitPictures, FanInUniform
from kerascnn.models.rows import OriginalLeNetConfig
from tests.models.check_model import channels_first, mixed_precision

ORIGINALS = list(ORIGINAL_VARIANTS)


# 6 * 25 + 6, 16 * 6 * 25 + 16, 400 * 120 + 120, 120 * 84 + 84, 84 * 10 + 10: the form that
# PyTorch's and d2l.ai's tutorials build counts 61,706 parameters.
@pytest.mark.parametrize("input_shape", [(28, 28, 1), (32, 32, 1)])
def test_lenet5_counts_its_published_parameters(input_shape):
    model = create_model("lenet5", input_shape)
    assert model.count_params() == 61_706
    assert [layer.count_params() for layer in model.layers if layer.weights] == [
        156,
        2_416,
        48_120,
        10_164,
        850,
    ]


def test_28_pixels_are_32_pixels_with_a_black_frame():
    small, large = create_model("lenet5", (28, 28, 1)), create_model("lenet5", (32, 32, 1))
    large.set_weights(small.get_weights())
    x = np.random.default_rng(0).uniform(size=(3, 28, 28, 1)).astype("float32")
    framed = np.pad(x, [(0, 0), (2, 2), (2, 2), (0, 0)])
    np.testing.assert_allclose(
        large.predict(framed, verbose=0), small.predict(x, verbose=0), rtol=1e-4, atol=1e-5
    )


def test_golden_output():
    # Weights from NumPy's generator, so that the numbers hold on every backend.
    model = create_model("lenet5", num_classes=3)
    rng = np.random.default_rng(0)
    model.set_weights([0.05 * rng.normal(size=w.shape) for w in model.weights])
    x = rng.uniform(size=(1, 28, 28, 1)).astype("float32")
    y = model.predict(x, verbose=0)
    np.testing.assert_allclose(y, GOLDEN, rtol=1e-3)


GOLDEN = [[0.0044762, 0.0129976, -0.0743218]]


def test_layer_names_are_fixed():
    names = [layer.name for layer in create_model("lenet5").layers]
    assert names == [
        "images",
        "stage1_conv",
        "stage1_pool",
        "stage2_conv",
        "stage2_pool",
        "flatten",
        "head_dense1",
        "head_dense2",
        "logits",
    ]


# LeCun et al., 1990, section 3: 2,578 independent parameters. LeCun et al., 1998, section II.B:
# 156 in C1, 12 in S2, 1,516 in C3, 32 in S4, 48,120 in C5 and 10,164 in F6; the 10 * 84 numbers of
# the prototypes are not trained.
@pytest.mark.parametrize(
    ("name", "total", "parameters"),
    [
        ("lenet1", 2_578, [104, 8, 512, 24, 1_930]),
        ("lenet5_1998", 60_000, [156, 12, 1_516, 32, 48_120, 10_164, 0]),
    ],
)
def test_original_lenets_count_their_published_parameters(name, total, parameters):
    layers = [layer for layer in create_model(name).layers if layer.weights]
    trainable = [sum(np.prod(w.shape) for w in layer.trainable_weights) for layer in layers]
    assert trainable == parameters
    assert sum(parameters) == total


def test_connections_of_lenet1():
    # Table 1 of the paper, where maps count from 1
    assert [[i + 1 for i in row] for row in ORIGINAL_VARIANTS["lenet1"].table] == [
        *([1], [1, 2], [1, 2], [2], [1, 2], [1, 2]),
        *([3], [3, 4], [3, 4], [4], [3, 4], [3, 4]),
    ]


def test_connections_of_lenet5():
    # "The first six C3 feature maps take inputs from every contiguous subsets of three feature maps
    # in S2. The next six take input from every contiguous subset of four. The next three take input
    # from some discontinuous subsets of four. Finally, the last one takes input from all."
    three, four = ([{(o + k) % 6 for k in range(n)} for o in range(6)] for n in (3, 4))
    others = [{0, 1, 3, 4}, {1, 2, 4, 5}, {0, 2, 3, 5}]
    table = ORIGINAL_VARIANTS["lenet5_1998"].table
    assert [set(row) for row in table] == [*three, *four, *others, set(range(6))]


def test_shapes_of_the_original_lenets():
    def outputs(name):
        return [tuple(layer.output.shape[1:]) for layer in create_model(name).layers]

    maps = [(24, 24, 4), (12, 12, 4), (8, 8, 12), (4, 4, 12)]
    assert outputs("lenet1") == [(28, 28, 1), (28, 28, 1), *maps, (192,), (10,)]
    maps = [(28, 28, 6), (14, 14, 6), (10, 10, 16), (5, 5, 16)]
    vectors = [(400,), (120,), (84,), (10,), (10,)]
    assert outputs("lenet5_1998") == [(28, 28, 1), (32, 32, 1), (32, 32, 1), *maps, *vectors]


def test_original_lenet5_layer_by_layer():
    model = create_model("lenet5_1998")
    rng = np.random.default_rng(0)
    # Kernels and biases anew, from NumPy; the prototypes, which are last, stay.
    model.set_weights([0.1 * rng.normal(size=w.shape) for w in model.weights[:-1]] + [PICTURES])
    weights = iter(model.get_weights())
    images = rng.uniform(size=(2, 28, 28, 1)).astype("float32")
    x = np.pad(images, [(0, 0), (2, 2), (2, 2), (0, 0)]) * 1.275 - 0.1
    x = reference.scaled_tanh(reference.group_conv2d(x, next(weights)) + next(weights))
    x = reference.scaled_tanh(reference.subsampling2d(x, next(weights), next(weights)))
    table = ORIGINAL_VARIANTS["lenet5_1998"].table
    x = reference.connection_table_conv2d(x, next(weights), next(weights), table)
    x = reference.scaled_tanh(x)
    x = reference.scaled_tanh(reference.subsampling2d(x, next(weights), next(weights)))
    x = reference.scaled_tanh(x.reshape(2, -1) @ next(weights) + next(weights))
    x = reference.scaled_tanh(x @ next(weights) + next(weights))
    expected = -reference.rbf_output(x, next(weights))
    np.testing.assert_allclose(model.predict(images, verbose=0), expected, rtol=1e-4)


PICTURES = keras.ops.convert_to_numpy(DigitPictures()((10, 84)))


def test_prototypes_are_pictures_of_the_digits():
    prototypes = create_model("lenet5_1998").get_layer("distances").get_weights()[0]
    assert set(np.unique(prototypes)) == {-1.0, 1.0}
    seven = ["".join(".#"[int(pixel > 0)] for pixel in row) for row in prototypes[7].reshape(12, 7)]
    assert seven[:3] == ["#######", "#######", ".....##"]
    different = (prototypes[:, None] != prototypes).sum(-1)
    assert different[~np.eye(10, dtype=bool)].min() >= 6
    with pytest.raises(ValueError, match=r"`shape` must be .*; got \(3, 84\)"):
        DigitPictures()((3, 84))


@pytest.mark.parametrize(("classes", "units"), [(3, 84), (10, 20)])
def test_other_prototypes_are_random_signs(classes, units):
    config = OriginalLeNetConfig(2, ((0, 1),), units=(units,), prototypes=True)
    model = create_model(config, (16, 16, 1), num_classes=classes)
    (prototypes,) = model.get_layer("distances").get_weights()
    assert prototypes.shape == (classes, units)
    assert set(np.unique(prototypes)) == {-1.0, 1.0}


@pytest.mark.parametrize("name", ORIGINALS)
def test_kernels_begin_within_the_bounds_of_the_paper(name):
    keras.utils.set_random_seed(0)
    model = create_model(name)
    dense = [layer.name for layer in model.layers if isinstance(layer, keras.layers.Dense)]
    for layer in ["stage1_conv", *dense]:
        kernel = model.get_layer(layer).get_weights()[0]
        bound = 2.4 / np.prod(kernel.shape[:-1])
        assert 0.9 * bound < np.abs(kernel).max() <= bound
    kernel = model.get_layer("stage2_conv").get_weights()[0]
    for row in ORIGINAL_VARIANTS[name].table:
        own, kernel = kernel[..., : len(row)], kernel[..., len(row) :]
        assert 0.8 < np.abs(own).max() / (2.4 / (25 * len(row))) <= 1


def test_initializer_keeps_its_seed_and_its_config():
    initializer = FanInUniform([4, 8], scale=1.0, seed=3)
    kernel = keras.ops.convert_to_numpy(initializer((50, 2)))
    again = keras.initializers.deserialize(keras.initializers.serialize(initializer))
    np.testing.assert_array_equal(keras.ops.convert_to_numpy(again((50, 2))), kernel)
    np.testing.assert_allclose(np.abs(kernel).max(0), [1 / 4, 1 / 8], rtol=0.1)


@pytest.mark.parametrize("name", ["lenet5", *ORIGINALS])
def test_without_the_top(name):
    maps = create_model(name, include_top=False)
    filters = 12 if name == "lenet1" else 16
    assert maps.output_shape[-1] == filters
    vectors = create_model(name, include_top=False, pooling="avg")
    assert vectors.output_shape == (None, filters)


@pytest.mark.parametrize("name", ["lenet5", *ORIGINALS])
def test_logits_are_float32_under_mixed_precision(name):
    with mixed_precision():
        model = create_model(name)
    assert model.output.dtype == "float32"


# A step and a reload by day: tests/models/test_every_model.py
@pytest.mark.nightly
@pytest.mark.parametrize("name", ["lenet5", *ORIGINALS])
def test_trains_saves_and_reloads(name, tmp_path):
    keras.utils.set_random_seed(0)
    model = create_model(name, (16, 20, 3), num_classes=2)
    rng = np.random.default_rng(0)
    x, y = rng.uniform(size=(8, 16, 20, 3)), np.arange(8) % 2
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.003), loss)
    losses = model.fit(x, y, epochs=30, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(
        again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("name", ["lenet5", *ORIGINALS])
def test_channels_first(name):
    last = create_model(name)
    with channels_first():
        first = create_model(name)
    assert first.input_shape == (None, 1, 28, 28)
    first.set_weights(last.get_weights())
    x = np.random.default_rng(0).uniform(size=(2, 28, 28, 1)).astype("float32")
    np.testing.assert_allclose(
        first.predict(np.moveaxis(x, -1, 1), verbose=0),
        last.predict(x, verbose=0),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("name", "input_shape"),
    [
        *(("lenet5", shape) for shape in [(11, 28, 1), (None, None, 1), (28, 1)]),
        *(("lenet1", shape) for shape in [(15, 28, 1), (None, 28, 1), (28, 28, None)]),
        *(("lenet5_1998", shape) for shape in [(28, 11, 1), (28, None, 1)]),
    ],
)
def test_wrong_input_shape(name, input_shape):
    with pytest.raises(ValueError, match="`input_shape` must "):
        create_model(name, input_shape)


@pytest.mark.parametrize(
    ("name", "smallest"), [("lenet5", 12), ("lenet1", 16), ("lenet5_1998", 12)]
)
def test_smallest_images(name, smallest):
    assert create_model(name, (smallest, smallest, 1)).output_shape == (None, 10)
