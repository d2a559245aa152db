import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow kernels are for the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from kerascnn import layers, reference
from kerascnn.backend import batch_normalization as kernel
from kerascnn.backend import onednn
from kerascnn.backend.portable import portable_graphs
from kerascnn.export import classification_serving, export
from tests.gradients import value_and_gradients


@pytest.fixture
def machine(monkeypatch):
    """Lets the rule see a machine that this one may not be."""

    def see(onednn_is_on=True, has_avx512=False, has_gpu=False):
        monkeypatch.setattr(kernel, "onednn_is_on", lambda: onednn_is_on)
        monkeypatch.setattr(kernel, "has_avx512", lambda: has_avx512)
        monkeypatch.setattr(kernel, "has_gpu", lambda: has_gpu)

    return see


@pytest.mark.parametrize(
    ("facts", "fused"),
    [
        ({}, False),  # a convolution fused with it is slow for one image
        ({"has_avx512": True}, True),
        ({"onednn_is_on": False}, True),
        ({"has_gpu": True}, True),
    ],
)
def test_the_rule_for_inference(machine, facts, fused):
    machine(**facts)
    x = tf.zeros((1, 2, 2, 3))
    assert kernel.is_fused_in_inference(x) == fused
    assert kernel.is_fused_in_inference(tf.cast(x, tf.bfloat16))
    assert kernel.is_fused_in_inference(tf.cast(x, tf.float16))
    with portable_graphs():
        assert kernel.is_fused_in_inference(x) == ("has_gpu" in facts)


@pytest.mark.parametrize(
    ("before", "fused"),
    [
        (keras.layers.Conv2D(4, 3, use_bias=False), True),
        (keras.layers.Conv2D(4, 3), False),  # TensorFlow fuses the addition of the bias instead
        (layers.DepthwiseConv2D(3, use_bias=False), False),
        (keras.layers.ReLU(), False),
    ],
)
def test_without_onednn_it_is_fused_with_convolutions_only(machine, before, fused):
    machine(onednn_is_on=False)
    model = keras.Sequential([keras.Input((8, 8, 3)), before, layers.BatchNormalization()])
    model.layers[-1].set_weights([np.linspace(0.5, 2, model.output_shape[-1])] * 4)
    images = np.random.default_rng(0).normal(size=(2, 8, 8, 3)).astype("float32")
    call = tf.function(lambda x: model(x, training=False))
    assert ("FusedBatchNormV3" in operations(call.get_concrete_function(images))) == fused
    np.testing.assert_allclose(call(images), model(images, training=False), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("avx512", [True, False])
@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False)])
def test_both_forms_follow_the_formula(machine, avx512, scale, center):
    machine(has_avx512=avx512)
    rng = np.random.default_rng(0)
    x, dy = rng.normal(loc=2.0, size=(2, 3, 4, 5, 6)).astype("float32")
    mean, gamma, beta = rng.normal(size=(3, 6)).astype("float32")
    variance = rng.uniform(0.1, 3, size=6).astype("float32")
    given = [x] + [gamma] * scale + [beta] * center

    def normalize(x, *rest):
        rest = list(rest)
        g = rest.pop(0) if scale else None
        b = rest.pop(0) if center else None
        return kernel.normalize(x, mean, variance, g, b, 1e-3)

    y, gradients = value_and_gradients(normalize, given, upstream=dy)
    x_hat = (x.astype("float64") - mean) / np.sqrt(variance + 1e-3)
    factor = gamma if scale else 1.0
    np.testing.assert_allclose(y, factor * x_hat + (beta if center else 0), rtol=1e-4, atol=1e-5)
    expected = [dy * factor / np.sqrt(variance + 1e-3)]
    expected += [(dy * x_hat).sum((0, 1, 2))] * scale + [dy.sum((0, 1, 2))] * center
    for found, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-4)


def test_a_layer_gives_the_numbers_of_the_loops_in_both_forms(machine):
    layer = layers.BatchNormalization()
    layer.build((None, 3, 3, 4))
    rng = np.random.default_rng(0)
    layer.set_weights([rng.uniform(0.5, 2, size=4) for _ in range(4)])
    x = rng.normal(size=(2, 3, 3, 4)).astype("float32")
    gamma, beta, mean, variance = layer.get_weights()
    # Statistics of the loops that are those of the layer: one channel has just these values.
    values = np.stack([mean - np.sqrt(variance), mean + np.sqrt(variance)])
    expected = reference.batch_normalization(values, gamma, beta, epsilon=1e-3)[0]
    for avx512 in (True, False):
        machine(has_avx512=avx512)
        found = layer(np.broadcast_to(values[:, None, None], (2, 3, 3, 4)))[:, 0, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
        assert layer(x).shape == x.shape


def operations(function):
    """The types of all operations in a graph and the functions that it calls."""
    graph = function.graph.as_graph_def()
    nodes = [*graph.node, *(node for inner in graph.library.function for node in inner.node_def)]
    return {node.op for node in nodes}


def test_what_is_exported_is_fast_on_any_processor(machine, tmp_path):
    machine(has_avx512=True)
    x = inputs = keras.Input((8, 8, 3))
    for filters in (4, 2):
        x = keras.layers.Conv2D(filters, 3, activation="relu")(x)
        x = layers.BatchNormalization()(x)  # after a ReLU and before one: it cannot be folded
        x = keras.layers.ReLU()(x)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    images = tf.TensorSpec((None, 8, 8, 3), "float32")
    here = tf.function(lambda x: model(x, training=False)).get_concrete_function(images)
    assert "FusedBatchNormV3" in operations(here)
    path = export(model, tmp_path / "export", serving=classification_serving(model)).path
    exported = tf.saved_model.load(path).signatures["serving_default"]
    assert "FusedBatchNormV3" not in operations(exported)


@pytest.mark.parametrize(
    ("limit", "flags", "expected"),
    [
        ("", "fma avx2 avx512f avx512bw", True),
        ("", "fma avx2", False),
        ("AVX2", "fma avx2 avx512f", False),
        ("avx2_vnni", "fma avx2 avx512f", False),
        ("AVX512_CORE", "fma avx2 avx512f", True),
        ("", None, False),  # no such file on this system
    ],
)
def test_avx512_is_what_onednn_may_use(monkeypatch, tmp_path, limit, flags, expected):
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", limit)
    if flags is not None:
        (tmp_path / "cpuinfo").write_text(f"flags\t\t: {flags}\n")
    monkeypatch.setattr(onednn, "Path", lambda path: tmp_path / "cpuinfo")
    assert onednn.has_avx512.__wrapped__() == expected
