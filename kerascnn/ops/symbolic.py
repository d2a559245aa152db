"""Support for symbolic tensors of functional models in ops, as in `keras.ops`."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar

import keras

from kerascnn.ops.shapes import standardize_data_format

# An op; the decorated op has the same signature.
_Op = TypeVar("_Op", bound=Callable[..., Any])


def symbolic(
    output_shape: Callable[..., Any],
    tensors: int = 1,
    output_dtype: Callable[[Any], Any] | None = None,
    window: Any = None,
) -> Callable[[_Op], _Op]:
    """Decorates an op so that a call with a `keras.KerasTensor` adds a node to the model.

    Args:
        output_shape: function of the shapes of the tensors and of the op's other arguments that
            checks them and returns the output shape, or a tuple of shapes.
        tensors: int, number of leading arguments that are tensors (or `None`); all others must be
            plain values, which are saved with the model.
        output_dtype: optional function from the dtype of the first tensor to the dtype of the
            output, or to a tuple of dtypes; by default they are the same.
        window: optional `kerascnn.geometry.Window`, or function of the op's other arguments that
            returns it, for an op that only moves, compares or scales single elements. Without it,
            the window and the multiply-adds of the node are unknown.
    """

    def decorate(function: Any) -> Any:
        @keras.saving.register_keras_serializable(package="kerascnn", name=function.__name__)
        class Node(keras.Operation):
            def __init__(self, *, given=(True,) * tensors, name=None, **arguments):
                super().__init__(name=name)
                self.given = tuple(given)
                self.arguments = arguments

            def call(self, *inputs):
                return function(*self._with_nones(inputs), **self.arguments)

            def compute_output_spec(self, *inputs):
                shapes = self._with_nones([x.shape for x in inputs])
                shape = output_shape(*shapes, **self.arguments)
                dtype = inputs[0].dtype if output_dtype is None else output_dtype(inputs[0].dtype)
                if not isinstance(dtype, tuple):
                    return keras.KerasTensor(shape, dtype)
                return tuple(map(keras.KerasTensor, shape, dtype))

            def compute_window(self):
                return window(**self.arguments) if callable(window) else window

            def compute_multiply_adds(self, input_shape, output_shape):
                return None if window is None else 0

            def _with_nones(self, values):
                values = iter(values)
                return [next(values) if given else None for given in self.given]

            def get_config(self):
                return {"given": self.given, "name": self.name, **self.arguments}

        Node.__name__ = Node.__qualname__ = function.__name__

        @functools.wraps(function)
        def op(*args, **kwargs):
            bound = inspect.signature(function).bind(*args, **kwargs)
            bound.apply_defaults()
            bound = list(bound.arguments.items())
            inputs = [value for _, value in bound[:tensors]]
            if any(isinstance(x, keras.KerasTensor) for x in inputs):
                arguments = dict(bound[tensors:])
                # Keras would wrap an error from inside the node in a long message.
                output_shape(*(None if x is None else x.shape for x in inputs), **arguments)
                if "data_format" in arguments:  # not another one when the model is loaded
                    arguments["data_format"] = standardize_data_format(arguments["data_format"])
                node = Node(given=[x is not None for x in inputs], **arguments)
                return node(*(x for x in inputs if x is not None))
            return function(*args, **kwargs)

        return op

    return decorate
