"""TensorFlow kernels: the fastest form of one op each, equal to its plain form.

Imported only when Keras runs on TensorFlow, but for `private_keras`, which needs no TensorFlow.
"""
