"""Detects graphs that XLA may compile."""

import os

import tensorflow as tf

from kerascnn.backend.private_tensorflow import compiled_by_xla


def may_be_compiled_by_xla():
    """Returns whether XLA compiles the graph that is being traced, or may do so later.

    With auto-clustering, TensorFlow selects the operations for XLA after the graph has been traced.
    """
    clustering = tf.config.optimizer.get_jit() or "tf_xla_auto_jit" in os.environ.get(
        "TF_XLA_FLAGS", ""
    )
    return compiled_by_xla() or bool(clustering)
