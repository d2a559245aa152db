"""All uses of private APIs of TensorFlow in kerascnn.

TensorFlow has no public functions for them. Each function imports what it needs when it is called,
and returns a safe default if the installed TensorFlow lacks it.
"""

import tensorflow as tf


def onednn_is_on():
    """Returns whether TensorFlow was built with oneDNN and oneDNN is on.

    Without the private function it returns `False`: group convolutions use forms that are complete
    everywhere, but slower.
    """
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:
        return False
    return IsMklEnabled()


def compiled_by_xla():
    """Returns whether XLA will compile the graph that is being traced.

    Without the private function it returns `False`: with XLA, group convolutions on a CPU are slow,
    and batch normalization is inaccurate if a mean is hundreds of standard deviations.
    """
    try:
        from tensorflow.python.ops.control_flow_util import GraphOrParentsInXlaContext
    except ImportError:
        return False
    return GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())


def has_started():
    """Returns whether TensorFlow has started its threads in this process.

    Without the private attribute it returns `True`: group convolutions in a forked process use
    Keras's form, and are slower.
    """
    try:
        from tensorflow.python.eager.context import context

        return context()._context_handle is not None
    except (ImportError, AttributeError):
        return True


def with_constants(function):
    """Returns a concrete function with constants in place of its variables.

    Without the private function it returns the function unchanged: exports of it keep variables,
    and run more slowly.
    """
    try:
        from tensorflow.python.framework.convert_to_constants import (
            convert_variables_to_constants_v2,
        )
    except ImportError:
        return function
    return convert_variables_to_constants_v2(function, lower_control_flow=False)
