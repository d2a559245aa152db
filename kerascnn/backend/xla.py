"""Whether XLA compiles what is being computed."""

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
