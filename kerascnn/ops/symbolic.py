"""Lets an op take the symbolic tensors of a functional model, as the ops of `keras.ops` do."""

import functools
import inspect

import keras


def symbolic(output_shape, tensors=1):
    """Decorates an op: called with a `keras.KerasTensor`, it becomes a node of the model.

    Args:
        output_shape: function of the shapes of the tensors and of the op's other arguments; it
            checks them and returns the shape of the output.
        tensors: int, how many of the op's arguments, counted from the first, are tensors; all
            others must be plain values, which are saved with the model.
    """

    def decorate(function):
        @keras.saving.register_keras_serializable(package="kerascnn", name=function.__name__)
        class Node(keras.Operation):
            def __init__(self, *, name=None, **arguments):
                super().__init__(name=name)
                self.arguments = arguments

            def call(self, *inputs):
                return function(*inputs, **self.arguments)

            def compute_output_spec(self, *inputs):
                shape = output_shape(*(x.shape for x in inputs), **self.arguments)
                return keras.KerasTensor(shape, dtype=inputs[0].dtype)

            def get_config(self):
                return {"name": self.name, **self.arguments}

        Node.__name__ = Node.__qualname__ = function.__name__

        @functools.wraps(function)
        def op(*args, **kwargs):
            bound = list(inspect.signature(function).bind(*args, **kwargs).arguments.items())
            inputs = [value for _, value in bound[:tensors]]
            if any(isinstance(x, keras.KerasTensor) for x in inputs):
                return Node(**dict(bound[tensors:]))(*inputs)
            return function(*args, **kwargs)

        return op

    return decorate
