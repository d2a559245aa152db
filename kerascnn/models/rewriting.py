"""Copies of models with replaced layers, and the calls in their graphs."""

import inspect
import tempfile
from dataclasses import dataclass

import keras
import numpy as np

from kerascnn.arguments import UsageError


@dataclass(frozen=True, eq=False)
class Call:
    """One call of a layer or operation in the graph of a model.

    Args:
        operation: `keras.Operation` of the model.
        args: tuple, the positional arguments of the call.
        kwargs: dict, the keyword arguments.
        outputs: list of `keras.KerasTensor`, which are arguments of other calls.
    """

    operation: keras.Operation
    args: tuple
    kwargs: dict
    outputs: list


class _StandIn(keras.Operation):
    """Replaces an operation in a copy of its graph without weights."""

    def __init__(self, operation):
        super().__init__(name=operation.name)
        self.operation = operation

    def compute_output_spec(self, *args, **kwargs):
        return self.operation.compute_output_spec(*args, **kwargs)


def graph_model(operation):
    """Returns an uncompiled functional model with the layers of a model.

    Args:
        operation: layer, operation or model.

    Returns:
        `keras.Model`, or `None` if `operation` is not a model with a graph.
    """
    has_graph = isinstance(operation, (keras.Function, keras.Sequential))
    if not has_graph or not isinstance(operation, keras.Model):
        return None
    if isinstance(operation, keras.Sequential):
        try:
            model = keras.Model(operation.inputs, operation.outputs, name=operation.name)
        except AttributeError:  # Keras does not know the shape of the input yet
            return None
    else:
        model = keras.Model(operation.input, operation.output, name=operation.name)
    # A subclass may have a graph, but compute something else.
    return model if type(operation).call is _kind(operation, model).call else None


def _kind(model, graph):
    """Returns the Keras class of a model."""
    return keras.Sequential if isinstance(model, keras.Sequential) else type(graph)


def checked_graph_model(model):
    """Returns `graph_model(model)`, or raises an error."""
    graph = graph_model(model)
    if graph is not None:
        return graph
    if type(model).call is keras.Sequential.call:
        raise UsageError(
            "`model` must have a known input shape; "
            f"got {model.name!r}: call `build` or add a `keras.Input` as its first layer."
        )
    raise UsageError(
        "`model` must be a functional or sequential `keras.Model`; got "
        f"{type(model).__name__}, whose `call` is custom code."
    )


def calls_of(graph):
    """Lists the calls in the graph of a functional model.

    Args:
        graph: `keras.Model` of `graph_model`; it is not changed.

    Returns:
        pair of the list of `Call` in topological order and the list of `keras.KerasTensor` that are
        the outputs of the model.
    """
    calls = []

    def call(stand_in, *args, **kwargs):
        outputs = stand_in(*args, **kwargs)
        calls.append(Call(stand_in.operation, args, kwargs, keras.tree.flatten(outputs)))
        return outputs

    traced = keras.models.clone_model(graph, clone_function=_StandIn, call_function=call)
    return calls, traced.outputs


def rewritten(model, replace):
    """Copies a model, and replaces or removes some of its layers.

    Names and `trainable` flags stay the same. The copy is not compiled, and its weights are new.

    Args:
        model: functional or sequential `keras.Model`; it is not changed.
        replace: function of a layer or operation, at any depth of nested models, that returns its
            replacement, or `None` to pass the first argument of its calls on.

    Returns:
        pair of the new `keras.Model` and the list of pairs `(layer, new_layer)`.
    """
    checked_graph_model(model)
    copies, pairs = {}, []

    def copy(operation):
        if id(operation) not in copies:
            graph = graph_model(operation)
            if graph is None:
                new = replace(operation)
                if isinstance(new, keras.Layer):
                    pairs.append((operation, new))
            else:
                new = copy_of_model(operation, graph)
            copies[id(operation)] = new
        return copies[id(operation)]

    def copy_of_model(model, graph):
        kind = _kind(model, graph)
        # A subclass with another constructor becomes a plain model.
        cls = type(model) if type(model).__init__ is kind.__init__ else kind
        inputs = {
            id(layer.output): same(layer).output
            for layer in graph.operations
            if isinstance(layer, keras.layers.InputLayer)
        }
        # As a constructor argument, the flag does not change the flags of the layers.
        options = {"name": model.name, "trainable": model.trainable}
        if kind is keras.Sequential:
            layers = [new for new in map(copy, model.layers) if new is not None]
            # Keras does not build a sequential model without layers.
            return cls([*inputs.values(), *(layers or [keras.layers.Identity()])], **options)
        new = keras.models.clone_model(
            graph,
            input_tensors=keras.tree.map_structure(lambda x: inputs[id(x)], graph.input),
            clone_function=copy,
            call_function=_called,
        )
        return cls(new.input, new.output, **options)  # pyright: ignore[reportArgumentType]

    return copy(model), pairs


def _called(operation, *args, **kwargs):
    return args[0] if operation is None else operation(*args, **kwargs)


def same(operation):
    """Returns a new layer or operation with the configuration of another."""
    return remade(operation, type(operation))


def remade(operation, cls, **arguments):
    """Returns a new layer or operation of a class.

    Args:
        operation: layer or operation with the configuration for the new one.
        cls: class of the new one.
        **arguments: changes of the configuration.
    """
    options = {"safe_mode": False} if cls is keras.layers.Lambda else {}  # not from a file
    try:
        with keras.saving.custom_object_scope(_parts(operation)):
            new = cls.from_config({**operation.get_config(), **arguments}, **options)
    except Exception as error:  # it may be user code
        raise UsageError(
            f"The layer {operation.name!r} ({type(operation).__name__}) must have a `get_config` "
            "from which it can be recreated."
        ) from error
    if cls is keras.layers.Lambda:
        new.function = operation.function  # a recreated function would not find its global names
    if isinstance(new, keras.Layer) and new.trainable != operation.trainable:
        new.trainable = operation.trainable  # not every configuration has it
    return new


def _parts(operation):
    """Returns the functions and classes of a layer, which need not be registered, by name."""
    values = vars(operation).values()
    functions = {value.__name__: value for value in values if inspect.isfunction(value)}
    classes = {
        type(value).__name__: type(value) for value in values if hasattr(value, "get_config")
    }
    return {**classes, **functions}


def copy_state(layer, new):
    """Copies the weights and the other state of a layer to a new layer.

    Args:
        layer: layer with state.
        new: built layer with the same weights.
    """
    if len(layer.variables) != len(new.variables):
        raise UsageError(
            f"The layer {layer.name!r} ({type(layer).__name__}) must have the same weights if it "
            f"is recreated from its `get_config`; got {len(new.variables)} in place of "
            f"{len(layer.variables)}."
        )
    for variable, new_variable in zip(layer.variables, new.variables, strict=True):
        new_variable.assign(_array(variable))
    # Some layers derive values from their variables, or have another kind of state.
    own = {}
    layer.save_own_variables(own)
    new.load_own_variables({key: _array(value) for key, value in own.items()})
    if hasattr(layer, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            new.load_assets(folder)


def _array(variable):
    # A copy, because JAX reuses the memory of variables in training.
    return np.array(keras.ops.convert_to_numpy(variable))
