"""The layers of the Neocognitron against its equations in loops."""

import keras
import numpy as np
import pytest

from kerascnn import initializers, layers, ops, reference
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer
from tests.reference.finite_differences import numeric_gradients

UNIFORM = keras.initializers.RandomUniform(0.0, 1.0)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("cls", "arguments", "output"),
    [
        (layers.ContrastExtraction2D, {}, (5, 7, 6)),
        (layers.ContrastExtraction2D, {"kernel_size": (3, 5), "padding": "valid"}, (3, 3, 6)),
        (layers.SCells2D, {"filters": 4, "kernel_size": 3, "threshold": 0.0}, (5, 7, 4)),
        (
            layers.SCells2D,
            {"filters": 4, "kernel_size": 2, "threshold": 0.0, "power": 0.5, "strides": 2},
            (3, 4, 4),
        ),
        (layers.CCells2D, {}, (3, 4, 3)),
        (layers.CCells2D, {"sigma": 0.5, "strides": 1, "padding": "valid"}, (3, 5, 3)),
        (layers.ShuntingCCells2D, {}, (5, 7, 3)),
        (layers.ShuntingCCells2D, {"output_size": (3, 4), "spacing": 5 / 3}, (3, 4, 3)),
        (layers.ShuntingSCells2D, {"filters": 4, "kernel_initializer": UNIFORM}, (5, 7, 4)),
        (
            layers.ShuntingSCells2D,
            {"filters": 4, "output_size": 2, "spacing": 3.0, "kernel_initializer": UNIFORM},
            (2, 2, 4),
        ),
    ],
)
def test_contract(cls, arguments, output, data_format):
    last = data_format == "channels_last"
    check_layer(
        cls,
        {**arguments, "data_format": data_format},
        input_shape=(2, 5, 7, 3) if last else (2, 3, 5, 7),
        output_shape=(2, *output) if last else (2, output[2], *output[:2]),
    )


def test_contract_of_vectors():
    check_layer(
        layers.InterpolatingVectors, {"counts": (3, 0, 2)}, input_shape=(2, 7), output_shape=(2, 3)
    )


def check_values(op, loops, arrays, images=1, tolerance=1e-5):
    """Compares values and gradients of an op with loops in float64, in both data formats."""
    rng = np.random.default_rng(1)
    expected = loops(*arrays)
    dy = rng.normal(size=expected.shape)
    gradients = numeric_gradients(loops, arrays, dy)
    for data_format in ("channels_last", "channels_first"):
        to = 1 if data_format == "channels_first" else -1
        moved = [np.moveaxis(array, -1, to) for array in arrays[:images]] + arrays[images:]
        y, found = value_and_gradients(
            lambda *tensors, data_format=data_format: op(*tensors, data_format=data_format),
            [array.astype("float32") for array in moved],
            upstream=np.moveaxis(dy, -1, to),
        )
        np.testing.assert_allclose(y, np.moveaxis(expected, -1, to), rtol=tolerance, atol=tolerance)
        for i, (ours, numeric) in enumerate(zip(found, gradients, strict=True)):
            numeric = np.moveaxis(numeric, -1, to) if i < images else numeric
            np.testing.assert_allclose(ours, numeric, rtol=1e-3, atol=1e-4)


def images(*shape):
    """Positive numbers, as the cells of a Neocognitron have."""
    return np.random.default_rng(0).uniform(0.05, 1.0, size=shape)


@pytest.mark.parametrize("padding", ["same", "valid", 2])
def test_contrast(padding):
    options = {"kernel_size": (3, 4), "center": 0.6, "surround": 1.1, "padding": padding}
    check_values(
        lambda x, **kw: ops.contrast_extraction2d(x, **options, **kw),
        lambda x: reference.contrast_extraction2d(x, **options),
        [images(2, 5, 6, 2)],
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"threshold": 0.8, "power": 0.0, "strides": 2},
        {"power": 0.5, "sigma": 0.7, "padding": "valid"},
        {"threshold": 0.0, "power": 0.3, "padding": 1},
    ],
)
def test_s_cells(options):
    check_values(
        lambda x, kernel, **kw: ops.s_cells2d(x, kernel, **options, **kw),
        lambda x, kernel: reference.s_cells2d(x, kernel, **options),
        [images(2, 4, 5, 2), images(3, 2, 2, 3)],
    )


@pytest.mark.parametrize(
    "options", [{}, {"sigma": 0.6, "strides": 3}, {"kernel_size": (3, 2), "padding": "valid"}]
)
def test_c_cells(options):
    check_values(
        lambda x, **kw: ops.c_cells2d(x, **options, **kw),
        lambda x: reference.c_cells2d(x, **options),
        [images(2, 6, 5, 2)],
    )


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"selectivity": 1.5, "output_size": (3, 2), "spacing": 1.7},
        {"output_size": 2, "decay": 1},
    ],
)
def test_shunting_s_cells(options):
    check_values(
        lambda x, kernel, b, **kw: ops.shunting_s_cells2d(x, kernel, b, **options, **kw),
        lambda x, kernel, b: reference.shunting_s_cells2d(x, kernel, b, **options),
        [images(2, 5, 4, 2), images(3, 3, 2, 3), images(3)],
    )


@pytest.mark.parametrize(
    "options",
    [{}, {"kernel_size": 2, "output_size": 1}, {"alpha": 0.3, "output_size": 3, "spacing": 1.6}],
)
def test_shunting_c_cells(options):
    check_values(
        lambda x, **kw: ops.shunting_c_cells2d(x, **options, **kw),
        lambda x: reference.shunting_c_cells2d(x, **options),
        [images(2, 5, 4, 3)],
    )


def unit_vectors(*counts, features=6):
    vectors = np.random.default_rng(3).normal(size=(sum(counts), features))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("neighbors", [1, 2, 10])
@pytest.mark.parametrize("counts", [(4, 1, 3), (2, 0, 5), (1,)])
def test_interpolating_vectors(counts, neighbors):
    vectors = unit_vectors(*counts)
    x = np.random.default_rng(0).normal(size=(7, 6))
    layer = layers.InterpolatingVectors(counts, neighbors)
    layer.build((None, 6))
    layer.set_vectors(3 * vectors)
    layer.scale.assign(2.0)

    def loops(x):
        return 2 * reference.interpolating_vectors(x, vectors, counts, neighbors)

    dy = np.random.default_rng(1).normal(size=(7, len(counts)))
    y, (gradient,) = value_and_gradients(layer, [x.astype("float32")], upstream=dy)
    np.testing.assert_allclose(y, loops(x), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gradient, numeric_gradients(loops, [x], dy)[0], rtol=1e-3, atol=1e-3)


def test_a_mixture_is_found_by_search():
    vectors = unit_vectors(2)
    x = vectors[0] + 0.6 * vectors[1] + 0.1 * unit_vectors(1)[0]
    share = np.linspace(0, 1, 10001)[:, None]
    mixtures = share * vectors[0] + (1 - share) * vectors[1]
    cosines = mixtures @ x / np.linalg.norm(mixtures, axis=1) / np.linalg.norm(x)
    found = reference.interpolating_vectors(x[None], vectors, (2,))[0, 0]
    np.testing.assert_allclose(found, cosines.max(), rtol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.SCells2D(3, 3),
        layers.SCells2D(3, 3, power=0.5),
        layers.CCells2D(),
        layers.ShuntingSCells2D(3, inhibition_initializer="ones"),
        layers.ShuntingCCells2D(),
    ],
    ids=lambda layer: layer.name,
)
def test_silence_stays_silent_with_a_finite_gradient(layer):
    y, (gradient,) = value_and_gradients(layer, [np.zeros((1, 6, 6, 2), "float32")])
    assert not y.any()
    assert np.isfinite(gradient).all()


def test_two_equal_vectors_have_a_finite_gradient():
    layer = layers.InterpolatingVectors((2, 1))
    layer.build((None, 2))
    layer.set_vectors([[0.6, 0.8], [0.6, 0.8], [1.0, 0.0]])
    y, (gradient,) = value_and_gradients(layer, [np.array([[0.6, 0.8]], "float32")])
    np.testing.assert_allclose(y, [[1.0, 0.6]], atol=1e-5)
    assert np.isfinite(gradient).all()


def test_edges_are_the_contrast_of_edges():
    kernel = keras.ops.convert_to_numpy(initializers.OrientedEdges()((5, 5, 2, 16)))
    for turn, image in ((0, np.arange(21) > 10), (8, np.arange(21) < 10)):
        image = np.broadcast_to(np.where(np.arange(21) == 10, 0.5, image), (21, 21))
        contrast = reference.contrast_extraction2d(image[None, :, :, None])[0]
        np.testing.assert_allclose(kernel[..., turn], contrast[8:13, 8:13], atol=1e-6)
    cosine = np.einsum("hwck,hwcl->kl", kernel, kernel)
    cosine /= np.sqrt(np.outer(np.diag(cosine), np.diag(cosine)))
    assert (cosine.argsort(1)[:, -3:] % 16 != cosine.argsort(1)[:, :1]).all()
    assert (np.sort(cosine, 1)[:, -2] < 1 - 1e-3).all()  # no two filters are alike


def test_edges_of_colors_are_those_of_gray():
    gray, color = (initializers.OrientedEdges()((5, 5, channels, 4)) for channels in (2, 6))
    for i in range(6):
        np.testing.assert_array_equal(color[:, :, i], gray[:, :, i // 3])
    with pytest.raises(ValueError, match="must be even, half of them off-center cells; got 3"):
        initializers.OrientedEdges()((5, 5, 3, 4))


def test_weak_orientations_differ_and_are_positive():
    kernel = keras.ops.convert_to_numpy(initializers.WeakOrientations()((5, 5, 24, 24)))
    assert 0 < kernel.min() < kernel.max() < 2e-4
    flat = kernel.reshape(-1, 24)
    assert np.abs(flat[:, :, None] - flat[:, None]).max(0)[~np.eye(24, dtype=bool)].min() > 1e-6
    # Over the line that the first prefers, and two pixels from it: only `slope` tells them apart
    for slope in (0.1, 1.0):
        first = initializers.WeakOrientations(slope=slope)((5, 5, 1, 24))[:, :, 0, 0]
        np.testing.assert_allclose(first[0, 2] / first[2, 0], np.exp(-2 * slope), rtol=1e-5)
    with pytest.raises(ValueError, match="`slope` must be above 0; got slope=0"):
        initializers.WeakOrientations(slope=0)


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: layers.SCells2D(4, 3, threshold=1.0), r"`threshold` must be in \[0, 1\); got thr"),
        (lambda: layers.SCells2D(4, 3, threshold=-0.1), "got threshold=-0.1"),
        (lambda: layers.SCells2D(4, 3, power=2), r"`power` must be in \[0, 1\]; got power=2"),
        (lambda: layers.SCells2D(4, 3, sigma=0), "`sigma` must be finite and above 0; got sigma=0"),
        (lambda: layers.SCells2D(0, 3), "`filters` must be an int of at least 1"),
        (lambda: layers.CCells2D(sigma=-1.0), "`sigma` must be finite and above 0"),
        (lambda: layers.CCells2D(padding="full"), "`padding` must be one of 'same', 'valid'"),
        (
            lambda: layers.ContrastExtraction2D(center=2.0),
            "`center` must be narrower than `surround`; got center=2.0 and surround=1.3",
        ),
        (lambda: layers.ContrastExtraction2D(1), "`kernel_size` must have more than one pixel"),
        (
            lambda: layers.ShuntingSCells2D(4, selectivity=0),
            "`selectivity` must be finite and abov",
        ),
        (lambda: layers.ShuntingSCells2D(4, decay=2), r"`decay` must be in \(0, 1\]; got decay=2"),
        (lambda: layers.ShuntingCCells2D(alpha=0), "`alpha` must be finite and above 0"),
        (lambda: layers.ShuntingCCells2D(spacing=0), "`spacing` must be finite and above 0"),
        (lambda: layers.InterpolatingVectors(()), "`counts` must be the number of vectors of each"),
        (lambda: layers.InterpolatingVectors((0, 0)), "got counts="),
        (lambda: layers.InterpolatingVectors(3), "got counts=3"),
        (lambda: layers.InterpolatingVectors((3,), 0), "`neighbors` must be an int of at least 1"),
    ],
)
def test_wrong_arguments(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_wrong_shapes():
    x = np.zeros((1, 4, 4, 2), "float32")
    with pytest.raises(ValueError, match=r"kernel shape \(3, 3, 1, 4\) with 2 channels"):
        ops.s_cells2d(x, np.zeros((3, 3, 1, 4)))
    with pytest.raises(ValueError, match="one value per filter; got shape"):
        ops.shunting_s_cells2d(x, np.zeros((3, 3, 2, 4)), np.zeros(3))
    layer = layers.InterpolatingVectors((2,))
    layer.build((None, 3))
    with pytest.raises(ValueError, match=r"must have the shape \(2, 3\); got \(3, 3\)"):
        layer.set_vectors(np.ones((3, 3)))
    with pytest.raises(ValueError, match="`vectors` must not be zeros"):
        layer.set_vectors(np.zeros((2, 3)))


def test_ops_are_nodes_of_a_functional_model(tmp_path):
    inputs = keras.Input((8, 8, 1))
    x = ops.c_cells2d(ops.contrast_extraction2d(inputs))
    x = ops.shunting_c_cells2d(x, output_size=2)
    model = keras.Model(inputs, x)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    x = images(2, 8, 8, 1).astype("float32")
    np.testing.assert_allclose(again.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-6)
