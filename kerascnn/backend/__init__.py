"""TensorFlow kernels, each the fastest form of an op and equal to its plain form.

Imported only when Keras runs on TensorFlow. `keras_conv`, `portable`, `private_keras` and
`torch_random` do not need it.
"""
