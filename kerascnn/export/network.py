"""The form of a model that is exported: fast at inference, with constants for weights."""

import warnings
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from kerascnn.arguments import UsageError
from kerascnn.backend.portable import portable_graphs
from kerascnn.backend.private_tensorflow import with_constants
from kerascnn.models import accelerate, fold_batch_normalization


class UnfoldedExportWarning(UserWarning):
    """A model is exported as it is, because its layers cannot be replaced."""


def inference_form(model):
    """Returns a copy of a model that is faster at inference, or the model itself.

    Keras's layers are replaced where kerascnn's are faster or export better, and batch
    normalization is folded. A model of which that cannot be done is returned as it is, with a
    warning.
    """
    try:
        return fold_batch_normalization(accelerate(model))
    except UsageError as error:
        warnings.warn(
            f"{model.name!r} is exported with batch normalization and dropout as layers of their "
            f"own: {error}",
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
        """The concrete function."""
        return self.function.get_concrete_function()


def frozen(function, signature):
    """Returns a `Graph` of a function of tensors that returns a dict, with its variables frozen."""
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
    """Returns a model as a function of its input at inference."""
    return lambda inputs: model(inputs, training=False)


def plain_graph(model, serving):
    """Returns the `Graph` of a model for runtimes other than TensorFlow."""
    with portable_graphs(plain=True):
        return frozen(serving.graph(network_of(model)), serving.signature())


def save_graph(graph, path):
    """Writes a `Graph` as a SavedModel, from which other formats are converted."""
    module = tf.Module()
    module.serve = graph.function
    tf.saved_model.save(module, str(path), signatures={"serving_default": graph.concrete})
