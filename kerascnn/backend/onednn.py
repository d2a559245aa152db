"""Whether TensorFlow computes with oneDNN on the CPU."""


def onednn_is_on():
    """Returns whether TensorFlow was built with oneDNN and has it turned on.

    TensorFlow has no public function for this; without the private one the answer is no.
    """
    try:
        from tensorflow.python.util._pywrap_util_port import IsMklEnabled
    except ImportError:
        return False
    return IsMklEnabled()
