"""What kerascnn takes from TensorFlow's private parts; nothing else in kerascnn does.

TensorFlow has no public functions for this. Each function imports what it needs when it is called,
and returns a safe answer where the installed TensorFlow lacks it.
"""

import tensorflow as tf


def onednn_is_on():
    """Returns whether TensorFlow was built with oneDNN and has it turned on.

    Without the private function the answer is no: group convolutions take forms that are complete
    everywhere, and slower.
    """
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:
        return False
    return IsMklEnabled()


def compiled_by_xla():
    """Returns whether the graph that is being traced will be compiled by XLA.

    Without the private function the answer is no: under XLA, group convolutions on a CPU are slow,
    and batch normalization is inaccurate where a mean is hundreds of standard deviations.
    """
    try:
        from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    except ImportError:
        return False
    return GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def has_started():
    """Returns whether TensorFlow has started its threads in this process.

    Without the private attribute the answer is yes: group convolutions in a forked process take
    Keras's form, and are slower.
    """
    try:
        from tensorflow.python.eager.context import context

        return context()._context_handle is not None
    except (ImportError, AttributeError):
        return True


def with_constants(function):
    """Returns a concrete function with constants in place of its variables.

    Without the private function it is returned unchanged: what is exported from it keeps variables,
    and answers more slowly.
    """
    try:
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )
    except ImportError:
        return function
    return convert_variables_to_constants_v2(function, lower_control_flow=False)
