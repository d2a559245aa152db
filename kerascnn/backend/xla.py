"""Whether XLA compiles what is being computed."""

import os

import tensorflow as tf


def compiled_by_xla():
    """Returns whether the graph that is being traced will be compiled by XLA.

    TensorFlow has no public function for this; without the private one the answer is no.
    """
    try:
        from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    except ImportError:
        return False
    return GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def may_be_compiled_by_xla():
    """Returns whether XLA compiles the graph that is being traced, or may choose to do so later.

    With auto-clustering, TensorFlow picks the operations that XLA compiles after the graph has been
    traced.
    """
    clustering = tf.config.optimizer.get_jit() or "tf_xla_auto_jit" in os.environ.get(
        "TF_XLA_FLAGS", ""
    )
    return compiled_by_xla() or bool(clustering)
