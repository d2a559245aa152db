"""The calls of layers and operations in the graph of a model."""

from dataclasses import dataclass

import keras

from kerascnn.arguments import UsageError
from kerascnn.backend import private_keras
from kerascnn.models.multiply_adds import (
    costs_nothing,
    multiply_adds_by_class,
    multiply_adds_of,
)
from kerascnn.models.operations import is_keras
from kerascnn.models.receptive_field import (
    Field,
    field_after,
    field_by_class,
    merged,
    moves,
    window_of,
)


@dataclass(frozen=True)
class _Call:
    """A call of an operation in the graph."""

    path: str
    operation: keras.Operation
    output_shape: tuple | None
    multiply_adds: int | None
    field: "Field | None" = None


def graph_of(operation):
    """Returns an operation as a graph, or `None` if it has no graph."""
    if isinstance(operation, keras.Function):  # includes every functional model
        return operation
    if isinstance(operation, keras.Sequential):
        try:
            return keras.Function(operation.inputs, operation.outputs)
        except AttributeError:  # a layer with an output shape that Keras does not know
            return None
    return None


def walk(graph, inputs, fields, with_inputs=False):
    """Runs a graph on symbolic tensors.

    Args:
        graph: `keras.Function`.
        inputs: list of `keras.KerasTensor`.
        fields: dict of the `Field` of every tensor; new tensors are added.
        with_inputs: bool, whether to include the inputs as calls.

    Returns:
        the outputs, and the list of `_Call`, in graph order.
    """
    place = {operation: i for i, operation in enumerate(graph.operations)}
    found = [[] for _ in place]
    if with_inputs:
        new = {id(old): x for old, x in zip(graph.inputs, inputs, strict=True)}
        for operation in place:
            if isinstance(operation, keras.layers.InputLayer):
                x = new[id(operation.output)]
                call = _Call(operation.name, operation, tuple(x.shape), 0, fields[x])
                found[place[operation]].append(call)

    def visited(operation):
        def call(*args, **kwargs):
            outputs, calls = _visit(operation, args, kwargs, fields)
            found[place[operation]].extend(calls)
            return outputs

        return call

    outputs = private_keras.run_graph(graph, inputs, visited)
    return outputs, [call for calls in found for call in calls]


def _visit(operation, args, kwargs, fields):
    """Runs one operation of a graph; returns its outputs and its calls."""
    graph = graph_of(operation)
    if graph is not None:
        first = args[0] if args else next(iter(kwargs.values()))
        outputs, calls = walk(graph, _inputs_of(operation, graph, first), fields)
        return outputs, [_nested(call, operation.name) for call in calls]
    inputs = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
    _check(operation, inputs)
    result = operation.compute_output_spec(*args, **kwargs)
    outputs = keras.tree.flatten(result)
    shapes_in, shapes_out = [tuple(x.shape) for x in inputs], [tuple(x.shape) for x in outputs]
    field = merged([fields[x] for x in inputs])
    after = field_after(operation, field, shapes_in, shapes_out) if moves(field) else field
    if moves(field) and not _takes_all_pixels(operation, args, kwargs, field.axes):
        after = None
    fields.update(dict.fromkeys(outputs, after))
    multiply_adds = multiply_adds_of(operation, shapes_in, shapes_out)
    if _is_opaque(operation):
        counted, inner = _inside(operation, args, kwargs, inputs, fields)
        if not _declares_multiply_adds(operation):
            multiply_adds = counted
        if not _declares_window(operation) and moves(field) and len(inner) == len(outputs):
            fields.update(zip(outputs, inner, strict=True))
    shape = shapes_out[0] if len(shapes_out) == 1 else tuple(shapes_out)
    seen = fields[outputs[0]] if outputs else None
    return result, [_Call(operation.name, operation, shape, multiply_adds, seen)]


def _takes_all_pixels(operation, args, kwargs, axes):
    """Returns whether an operation is no slicing, or keeps rows and columns, as `x[..., ::-1]`."""
    if type(operation).__name__ != "GetItem":  # its class is not public
        return True
    x, key = (*args, *kwargs.values())[:2]
    key = key if isinstance(key, tuple) else (key,)
    if Ellipsis in key:
        at = key.index(Ellipsis)
        missing = len(x.shape) - len(key) + 1
        key = (*key[:at], *[slice(None)] * missing, *key[at + 1 :])
    return all(axis >= len(key) or key[axis] == slice(None) for axis in axes)


def _inputs_of(model, graph, given):
    """Returns the inputs of a nested model in its own order; Keras maps a dict by name."""
    names = [x.name for x in graph.inputs]
    by_name = isinstance(given, dict) and not isinstance(model.input, dict)
    if by_name and set(names) <= set(given):
        return [given[name] for name in names]
    return keras.tree.flatten(given)


def _nested(call, name):
    return _Call(
        f"{name}/{call.path}", call.operation, call.output_shape, call.multiply_adds, call.field
    )


def _check(operation, inputs):
    """Checks the inputs of a layer, which `compute_output_spec` does not do."""
    specs = [
        spec
        for spec in keras.tree.flatten(getattr(operation, "input_spec", None))
        if isinstance(spec, keras.InputSpec)
    ]
    for spec, x in zip(specs, inputs, strict=False):
        for axis, size in spec.axes.items():
            if size is not None and x.shape[axis] not in (size, None):
                raise UsageError(
                    f"{operation.name} requires inputs with {size} in axis {axis}; got the shape "
                    f"{tuple(x.shape)}."
                )


def _is_opaque(operation):
    """Returns whether a layer must be analyzed through its `call`."""
    if not isinstance(operation, keras.Layer) or _has_rule(operation):
        return False
    if _declares_multiply_adds(operation) and _declares_window(operation):
        return False
    return not is_keras(operation) or bool(private_keras.sublayers(operation))


def _declares_multiply_adds(operation):
    return hasattr(operation, "compute_multiply_adds")


def _declares_window(operation):
    """Returns whether a layer has a window, from a method or from attributes like `kernel_size`."""
    return hasattr(operation, "compute_window") or window_of(operation) is not None


def _inside(layer, args, kwargs, inputs, fields):
    """Analyzes the `call` of a layer: its multiply-adds, and the fields of its outputs."""
    graph = traced(layer, args, kwargs)
    if graph is None:
        return None, []
    try:
        outputs, calls = walk(graph, inputs, fields)
    except Exception:  # as in `traced`
        return None, []
    counts = [call.multiply_adds for call in calls]
    multiply_adds = None if _own_weights(layer) or None in counts else sum(counts)
    return multiply_adds, [fields[x] for x in keras.tree.flatten(outputs)]


def traced(layer, args, kwargs):
    """Returns the graph of a layer's `call`, or `None` if it does not accept symbolic tensors."""
    parts = private_keras.sublayers(layer, recursive=True)
    if parts is None or not all(part.built for part in (layer, *parts)):
        return None
    records = [private_keras.call_records(part) for part in (layer, *parts)]
    if None in records:
        return None
    inputs = []

    def placeholder(x):
        if not isinstance(x, keras.KerasTensor):
            return x
        name = f"{layer.name}_input{len(inputs)}"
        inputs.append(keras.Input(batch_shape=x.shape, dtype=x.dtype, name=name))
        return inputs[-1]

    # Otherwise, the calls recorded here would stay in the layers.
    records = [nodes for pair in records for nodes in pair]
    lengths = [len(nodes) for nodes in records]
    try:
        args, kwargs = keras.tree.map_structure(placeholder, (args, kwargs))  # pyright: ignore[reportGeneralTypeIssues]
        return keras.Function(inputs, layer.call(*args, **kwargs))
    except Exception:  # a layer may raise anything for symbolic tensors
        return None
    finally:
        for nodes, length in zip(records, lengths, strict=True):
            del nodes[length:]


def _own_weights(layer):
    """Returns the weights of a layer that do not belong to its sublayers."""
    sublayers = private_keras.sublayers(layer)
    theirs = {id(weight) for sublayer in sublayers for weight in sublayer.weights}  # pyright: ignore[reportOptionalIterable]
    return [weight for weight in layer.weights if id(weight) not in theirs]


def listed(model):
    """Returns the layers of a model without a graph."""
    return [
        _Call(layer.name, layer, None, 0 if costs_nothing(layer) else None)
        for layer in model.layers
    ]


def _has_rule(operation):
    return any(
        rules.dispatch(type(operation)) is not rules.dispatch(object)
        for rules in (field_by_class, multiply_adds_by_class)
    )
