"""What kerascnn takes from Keras's private parts; nothing else in kerascnn does.

For `kerascnn.summary`, `sublayers` and `call_records` return `None` where the installed Keras lacks
what they need, and `runs_graphs` whether `run_graph` may be called; `losses` says what it then
cannot show.
"""

import keras


def runs_graphs():
    """Returns whether the installed Keras has what `run_graph` needs."""
    return _found(keras.Function, "_run_through_graph") is not None


def run_graph(graph, inputs, operation_fn):
    """Runs a `keras.Function` with `operation_fn(operation)` in place of each operation.

    Without it, nothing that depends on shapes is known.
    """
    return _found(graph, "_run_through_graph")(inputs, operation_fn=operation_fn)


def sublayers(layer, recursive=False):
    """Lists the layers that a layer holds; with `recursive`, those that they hold too.

    Without it, nothing is known about layers that are made of layers.
    """
    flatten = _found(layer, "_flatten_layers")
    return None if flatten is None else flatten(include_self=False, recursive=recursive)


def call_records(operation):
    """Returns the two lists to which Keras appends the symbolic calls of an operation.

    Without them, nothing is known about layers that are made of layers: after looking into one,
    its calls could not be removed again.
    """
    records = [_found(operation, name) for name in ("_inbound_nodes", "_outbound_nodes")]
    return None if None in records else records


def losses():
    """Returns one sentence for each thing that `summary` cannot show with the installed Keras."""
    version = f"cannot be computed with Keras {keras.__version__}"
    found = []
    if not runs_graphs():
        found.append(f"Output shapes, multiply-adds and receptive fields {version}.")
    layer = keras.layers.Identity()
    if sublayers(layer) is None or call_records(layer) is None:
        found.append(f"Multiply-adds and receptive fields of layers made of layers {version}.")
    return tuple(found)


def patch_tf2onnx():
    """Lets tf2onnx 1.17 run with NumPy 2, as Keras does before it exports to ONNX.

    Without it, conversions to ONNX fail where tf2onnx does not know NumPy 2 by itself.
    """
    try:
        from keras.src.export.tf2onnx_lib import patch_tf2onnx as patch
    except ImportError:
        return
    patch()


def _found(owner, name):
    return getattr(owner, name, None)
