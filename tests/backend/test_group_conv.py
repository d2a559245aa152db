import os
import subprocess
import sys

import keras
import numpy as np
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow kernels are for the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from kerascnn import ops, reference
from kerascnn.backend import group_conv
from tests.gradients import value_and_gradients
from tests.layers.test_group_conv import CASES, random_case
from tests.nightly import every_night


@pytest.mark.parametrize(
    ("channels", "groups", "strides", "native", "expected"),
    [
        (64, 1, (1, 1), True, ("native", 1)),
        (64, 1, (1, 1), False, ("split", 1)),
        (1, 1, (1, 1), False, ("split", 1)),
        (64, 8, (1, 1), True, ("native", 8)),
        (64, 64, (1, 1), True, ("depthwise", 64)),  # one channel per group
        (64, 64, (2, 1), True, ("native", 64)),  # the depthwise op wants equal strides
        (64, 32, (1, 1), True, ("native", 8)),  # two: four groups become one
        (12, 6, (1, 1), True, ("native", 6)),  # two, but four does not divide six
        (128, 32, (1, 1), True, ("native", 16)),  # four: two groups become one
        (128, 32, (2, 2), True, ("native", 32)),  # not with strides
        (12, 3, (1, 1), True, ("native", 3)),  # two does not divide three
        (64, 64, (2, 2), False, ("depthwise", 64)),
        (64, 64, (2, 1), False, ("split", 2)),
        (128, 32, (1, 1), False, ("split", 4)),  # blocks of 32 channels
        (256, 4, (1, 1), False, ("split", 4)),  # never narrower than a group
        (16, 4, (1, 1), False, ("split", 1)),
    ],
)
def test_rule(channels, groups, strides, native, expected):
    assert group_conv.form(channels, groups, strides, native) == expected


def test_rule_for_dilated_kernels_of_one_channel():
    assert group_conv.form(64, 64, (1, 1), True, dilated=True) == ("native", 64)
    assert group_conv.form(64, 64, (1, 1), False, dilated=True) == ("depthwise", 64)


def run(x, kernel, dy, options):
    return value_and_gradients(
        lambda x, kernel: ops.group_conv2d(x, kernel, **options), [x, kernel], upstream=dy
    )


@pytest.mark.parametrize("case", CASES)
def test_forms_for_machines_without_native_gradients(case, monkeypatch):
    monkeypatch.setattr(group_conv, "is_native", lambda dtype: False)
    sizes, options = CASES[case]
    x, kernel = random_case(*sizes)
    names = {"padding": "padding", "strides": "strides", "dilation_rate": "dilation"}
    loops = {names[name]: value for name, value in options.items()}
    expected = reference.group_conv2d(x, kernel, **loops)
    dy = np.random.default_rng(1).normal(size=expected.shape).astype("float32")
    y, gradients = run(x, kernel, dy, options)
    np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)
    for ours, theirs in zip(
        gradients, reference.group_conv2d_backward(dy, x, kernel, **loops), strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-4)


def test_half_precision_trains():
    # On a CPU, float16 has no gradients of TensorFlow's own group convolution.
    x, kernel = random_case(6, 7, 16, 16, 4, (3, 3))
    dy = np.random.default_rng(1).normal(size=(2, 4, 5, 16)).astype("float16")
    y, gradients = run(x.astype("float16"), kernel.astype("float16"), dy, {})
    expected = reference.group_conv2d_backward(dy.astype("float32"), x, kernel)
    np.testing.assert_allclose(y, reference.group_conv2d(x, kernel), rtol=0.02, atol=0.05)
    np.testing.assert_allclose(gradients[0], expected[0], rtol=0.02, atol=0.1)
    np.testing.assert_allclose(gradients[1], expected[1], rtol=0.02, atol=0.1)


def test_xla_never_sees_a_group_convolution_on_a_cpu():
    x, kernel = random_case(6, 7, 16, 16, 4, (3, 3))

    @tf.function(jit_compile=True)
    def compiled(x, kernel):
        return ops.group_conv2d(x, kernel)

    np.testing.assert_allclose(
        compiled(x, kernel), reference.group_conv2d(x, kernel), rtol=1e-4, atol=1e-4
    )
    if not tf.config.list_physical_devices("GPU"):
        graph = compiled.get_concrete_function(x, kernel).graph
        kernels = [op.inputs[1] for op in graph.get_operations() if op.type == "Conv2D"]
        channels = [op.inputs[0] for op in graph.get_operations() if op.type == "Conv2D"]
        assert kernels
        assert all(a.shape[-1] == b.shape[2] for a, b in zip(channels, kernels, strict=True))


def test_a_hidden_gpu_does_not_count(monkeypatch):
    """After `tf.config.set_visible_devices([], "GPU")`, which a machine without one ignores."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["GPU:0"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    assert not group_conv.has_gpu()


def test_half_precision_can_be_probed_while_a_graph_is_traced():
    group_conv._probed.cache_clear()
    x, kernel = random_case(6, 7, 16, 16, 4, (3, 3))
    y = tf.function(ops.group_conv2d)(x.astype("float16"), kernel.astype("float16"))
    np.testing.assert_allclose(y, reference.group_conv2d(x, kernel), rtol=0.02, atol=0.05)


def python(program, onednn):
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": onednn},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system does not fork processes")
@pytest.mark.parametrize("onednn", every_night(["0", "1"], {"1"}))
def test_a_forked_process_can_call_models_that_were_never_called(onednn):
    # The image is so small that TensorFlow needs no further thread for Keras's layer either.
    python(
        """
import os, signal
import keras
import numpy as np
from kerascnn.layers import GroupConv2D
inputs = keras.Input((4, 4, 4))
models = [
    keras.Model(inputs, layer(4, 3, groups=2, dtype=dtype)(inputs))
    for dtype in ("float32", "mixed_bfloat16", "mixed_float16")
    for layer in (keras.layers.Conv2D, GroupConv2D)
]
child = os.fork()
if not child:
    signal.alarm(30)
    for model in models:
        assert model(np.ones((1, 4, 4, 4), "float32")).shape == (1, 2, 2, 4)
    os._exit(0)
_, status = os.waitpid(child, 0)
assert status == 0, os.waitstatus_to_exitcode(status)
""",
        onednn,
    )


def test_native_gradients_are_there_where_they_are_expected():
    # TensorFlow's CPU build has float32 gradients with oneDNN only, and never float64 ones.
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("a GPU has native group convolutions of every kind")
    assert not group_conv.is_native(tf.float64)
    x, kernel = random_case(6, 7, 16, 16, 4, (3, 3))

    @tf.function
    def gradient(x, kernel):
        with tf.GradientTape() as tape:
            tape.watch(kernel)
            y = tf.nn.conv2d(x, kernel, 1, "SAME")
        return tape.gradient(y, kernel)

    if group_conv.is_native(tf.float32):
        assert gradient(tf.constant(x), tf.constant(kernel)).shape == kernel.shape
    else:
        with pytest.raises(tf.errors.InvalidArgumentError):
            gradient(tf.constant(x), tf.constant(kernel))
