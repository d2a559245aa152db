"""Copies of models with other layers, and the calls in their graphs."""

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
        operation: `keras.Operation`, that of the model.
        args: tuple, the positional arguments of the call.
        kwargs: dict, the others.
        outputs: list of `keras.KerasTensor`, which other calls have among their arguments.
    """

    operation: keras.Operation
    args: tuple
    kwargs: dict
    outputs: list


class _StandIn(keras.Operation):
    """Takes the place of an operation in a copy of its graph that has no weights."""

    def __init__(self, operation):
        super().__init__(name=operation.name)
        self.operation = operation

    def compute_output_spec(self, *args, **kwargs):
        return self.operation.compute_output_spec(*args, **kwargs)


def graph_model(operation):
    """Returns a functional model over the layers of a model, which is not compiled.

    Args:
        operation: layer, operation or model.

    Returns:
        `keras.Model`, or `None` where `operation` is not a model that is known by its graph.
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
    # A subclass may have a graph and compute something else.
    return model if type(operation).call is _kind(operation, model).call else None


def _kind(model, graph):
    """Returns the class of Keras that a model is an instance of."""
    return keras.Sequential if isinstance(model, keras.Sequential) else type(graph)


def checked_graph_model(model):
    """Returns `graph_model(model)`, or raises an error."""
    graph = graph_model(model)
    if graph is not None:
        return graph
    if type(model).call is keras.Sequential.call:
        raise UsageError(
            "`model` must know its input shape; "
            f"got {model.name!r}: call `build` or add a `keras.Input` as its first layer."
        )
    raise UsageError(
        "`model` must be a functional or sequential `keras.Model`; got "
        f"{type(model).__name__}, whose layers are called in code of its own."
    )


def calls_of(graph):
    """Lists the calls in the graph of a functional model.

    Args:
        graph: `keras.Model` of `graph_model`; it is not changed.

    Returns:
        pair of the list of `Call`, each after those whose outputs it takes, and the list of
        `keras.KerasTensor` that are the outputs of the model.
    """
    calls = []

    def call(stand_in, *args, **kwargs):
        outputs = stand_in(*args, **kwargs)
        calls.append(Call(stand_in.operation, args, kwargs, keras.tree.flatten(outputs)))
        return outputs

    traced = keras.models.clone_model(graph, clone_function=_StandIn, call_function=call)
    return calls, traced.outputs


def rewritten(model, replace):
    """Copies a model with some of its layers replaced or left out.

    Names and `trainable` flags are those of the model. The copy is not compiled, and its weights
    are fresh.

    Args:
        model: functional or sequential `keras.Model`; it is not changed.
        replace: function of a layer or operation, at any depth of nested models, that returns a
            new one, or `None` to pass on the first argument of its calls instead.

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
        # A subclass that is made in another way becomes a plain model.
        cls = type(model) if type(model).__init__ is kind.__init__ else kind
        inputs = {
            id(layer.output): same(layer).output
            for layer in graph.operations
            if isinstance(layer, keras.layers.InputLayer)
        }
        # Passed to the constructor, the flag leaves those of the layers as they are.
        options = {"name": model.name, "trainable": model.trainable}
        if kind is keras.Sequential:
            layers = [new for new in map(copy, model.layers) if new is not None]
            # Keras builds no sequential model without layers.
            return cls([*inputs.values(), *(layers or [keras.layers.Identity()])], **options)
        new = keras.models.clone_model(
            graph,
            input_tensors=keras.tree.map_structure(lambda x: inputs[id(x)], graph.input),
            clone_function=copy,
            call_function=_called,
        )
        return cls(new.input, new.output, **options)

    return copy(model), pairs


def _called(operation, *args, **kwargs):
    return args[0] if operation is None else operation(*args, **kwargs)


def same(operation):
    """Returns a new layer or operation with the configuration of another."""
    return remade(operation, type(operation))


def remade(operation, cls, **arguments):
    """Returns a new layer or operation of a class.

    Args:
        operation: layer or operation with the configuration that the new one takes.
        cls: class of the new one.
        **arguments: what is different in its configuration.
    """
    options = {"safe_mode": False} if cls is keras.layers.Lambda else {}  # it is no file's
    try:
        with keras.saving.custom_object_scope(_parts(operation)):
            new = cls.from_config({**operation.get_config(), **arguments}, **options)
    except Exception as error:  # it may be code of the user
        raise UsageError(
            f"The layer {operation.name!r} ({type(operation).__name__}) must have a `get_config` "
            "from which it can be made again."
        ) from error
    if cls is keras.layers.Lambda:
        new.function = operation.function  # made again, it would not find its global names
    if isinstance(new, keras.Layer) and new.trainable != operation.trainable:
        new.trainable = operation.trainable  # not in the configuration of every layer
    return new


def _parts(operation):
    """Names the functions and classes that a layer consists of, which need not be registered."""
    values = vars(operation).values()
    functions = {value.__name__: value for value in values if inspect.isfunction(value)}
    classes = {
        type(value).__name__: type(value) for value in values if hasattr(value, "get_config")
    }
    return {**classes, **functions}


def copy_state(layer, new):
    """Gives a new layer the weights and the other state of a layer.

    Args:
        layer: layer with state.
        new: built layer with the same weights.
    """
    if len(layer.variables) != len(new.variables):
        raise UsageError(
            f"The layer {layer.name!r} ({type(layer).__name__}) must have the same weights when it "
            f"is made again from its `get_config`; got {len(new.variables)} in place of "
            f"{len(layer.variables)}."
        )
    for variable, new_variable in zip(layer.variables, new.variables, strict=True):
        new_variable.assign(_array(variable))
    # Some layers compute what they use from their variables, or have state of another kind.
    own = {}
    layer.save_own_variables(own)
    new.load_own_variables({key: _array(value) for key, value in own.items()})
    if hasattr(layer, "save_assets"):
        with tempfile.TemporaryDirectory() as folder:
            layer.save_assets(folder)
            new.load_assets(folder)


def _array(variable):
    # A copy: JAX gives away the memory of variables when it trains.
    return np.array(keras.ops.convert_to_numpy(variable))
