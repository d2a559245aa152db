"""TensorFlow's private APIs: there with the installed version, and not needed by any layer."""

import os
import subprocess
import sys
import types

import keras
import pytest

if keras.backend.backend() != "tensorflow":
    pytest.skip("TensorFlow kernels are for the TensorFlow backend", allow_module_level=True)

import tensorflow as tf

from kerascnn.backend import private_tensorflow
from tests import fresh_process

# Each function with the module that it imports from, and its answer without it
HOOKS = {
    "onednn_is_on": ("tensorflow.python.util._pywrap_util_port", False),
    "compiled_by_xla": ("tensorflow.python.ops.control_flow_util", False),
    "has_started": ("tensorflow.python.eager.context", True),
}


def test_compiled_by_xla():
    answers = []

    def ask(x):
        answers.append(private_tensorflow.compiled_by_xla())
        return x

    tf.function(ask)(tf.ones(3))
    tf.function(ask, jit_compile=True)(tf.ones(3))
    assert answers == [False, True]
    assert not private_tensorflow.compiled_by_xla()


def test_onednn_is_on_as_the_environment_says_and_has_started_with_the_first_tensor():
    program = """
import tensorflow as tf
from kerascnn.backend import private_tensorflow
print(private_tensorflow.has_started())
tf.ones(3)
print(private_tensorflow.has_started(), private_tensorflow.onednn_is_on())
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "TF_ENABLE_ONEDNN_OPTS": "0"},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert result.stdout.split() == ["False", "True", "False"], result.stderr[-2000:]


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("left", [None, types.ModuleType("empty")])
def test_answers_without_a_private_part(hook, left, monkeypatch):
    module, answer = HOOKS[hook]
    monkeypatch.setitem(sys.modules, module, left)
    assert getattr(private_tensorflow, hook)() is answer


def test_works_without_any_private_part():
    # The modules are hidden before kerascnn is imported, and a fork meets the kernels there too.
    program = f"""
import sys
import numpy as np
import tensorflow as tf
import keras
tf.ones(3)
for name in {[module for module, _ in HOOKS.values()]}:
    sys.modules[name] = None
import kerascnn
from kerascnn import ops, reference
rng = np.random.default_rng(0)
x = rng.normal(size=(1, 5, 5, 4)).astype("float32")
kernel = rng.normal(size=(3, 3, 2, 4)).astype("float32")
for call in (ops.group_conv2d, tf.function(ops.group_conv2d, jit_compile=True)):
    np.testing.assert_allclose(call(x, kernel), reference.group_conv2d(x, kernel), rtol=1e-4)
model = keras.Sequential([
    keras.Input((5, 5, 4)),
    kerascnn.layers.GroupConv2D(8, 3, groups=2),
    kerascnn.layers.BatchNormalization(),
    kerascnn.layers.Dropout(0.2),
    kerascnn.layers.Conv2DTranspose(4, 3, groups=2),
])
model.compile("sgd", "mse")
model.fit(x, x, verbose=0)
assert kerascnn.summary(model).multiply_adds == 9 * 9 * 2 * 8 + 9 * 9 * 8 * 2
"""
    fresh_process.output(program)
