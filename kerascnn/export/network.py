"""The exported form of a model: optimized for inference, with constants as weights."""

import warnings
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.portable import portable_graphs
from kerascnn.backend.private_tensorflow import with_constants
from kerascnn.models import accelerate, fold_batch_normalization


class UnfoldedExportWarning(UserWarning):
    """Warns that a model is exported unchanged, because its layers cannot be replaced."""


def inference_form(model):
    """Returns a copy of a model that is optimized for inference, or the model itself.

    Keras's layers are replaced where kerascnn's are faster or export better, and batch
    normalization is folded. If a model does not allow this, it is returned unchanged, with a
    warning.
    """
    try:
        return fold_batch_normalization(accelerate(model))
    except UsageError as error:
        warnings.warn(
            f"{model.name!r} is exported with separate layers for batch normalization and dropout: "
            f"{error}",
            UnfoldedExportWarning,
            stacklevel=3,
        )
        return model


@dataclass(frozen=True)
class Graph:
    """A function of tensors with names, without variables.

    Args:
        function: `tf.function` that returns a dict of tensors.
        signature: list of `tf.TensorSpec`, its inputs.
    """

    function: Any
    signature: Any

    @property
    def concrete(self):
        """The concrete function of the graph."""
        return self.function.get_concrete_function()


def frozen(function, signature):
    """Returns the `Graph` of a function that returns a dict, with its variables frozen."""
    traced = tf.function(function, input_signature=signature, autograph=False)
    concrete = traced.get_concrete_function()
    names = sorted(concrete.structured_outputs)
    constant = with_constants(concrete)

    def call(*inputs):
        given = constant(*inputs)
        given = tf.nest.flatten(given)
        return dict(zip(names, given, strict=True))

    return Graph(tf.function(call, input_signature=signature, autograph=False), signature)


def network_of(model):
    """Returns a model as a function of its input, in inference mode."""
    return lambda inputs: model(inputs, training=False)


def plain_graph(model, serving):
    """Returns the `Graph` of a model for runtimes other than TensorFlow."""
    with portable_graphs(plain=True):
        return frozen(serving.graph(network_of(model)), serving.signature())


def save_graph(graph, path):
    """Writes a `Graph` as a SavedModel, from which other formats are converted."""
    module = tf.Module()
    module.serve = graph.function  # pyright: ignore[reportAttributeAccessIssue]
    tf.saved_model.save(module, str(path), signatures={"serving_default": graph.concrete})
