"""All uses of private APIs of Keras in kerascnn.

For `kerascnn.summary`, `sublayers` and `call_records` return `None` if the installed Keras lacks
what they need, and `runs_graphs` returns whether `run_graph` is available; `losses` lists what
`summary` cannot show in that case.
"""

import keras


def runs_graphs():
    """Returns whether the installed Keras has what `run_graph` needs."""
    return _found(keras.Function, "_run_through_graph") is not None


def run_graph(graph, inputs, operation_fn):
    """Runs a `keras.Function` with `operation_fn(operation)` in place of each operation.

    Without it, values that depend on shapes are unknown.
    """
    return _found(graph, "_run_through_graph")(inputs, operation_fn=operation_fn)


def sublayers(layer, recursive=False):
    """Lists the layers inside a layer; with `recursive`, also the layers inside these.

    Without it, composite layers cannot be analyzed.
    """
    flatten = _found(layer, "_flatten_layers")
    return None if flatten is None else flatten(include_self=False, recursive=recursive)


def call_records(operation):
    """Returns the two lists to which Keras appends the symbolic calls of an operation.

    Without them, composite layers cannot be analyzed, because the calls of the analysis could not
    be removed again.
    """
    records = [_found(operation, name) for name in ("_inbound_nodes", "_outbound_nodes")]
    return None if None in records else records


def draw_from(layer, generator):
    """Sets the seed generator of a preprocessing layer and of the layers inside it.

    Without it, augmentation uses its own generators, and a resumed training sees other random
    changes than an uninterrupted one.

    Args:
        layer: `keras.layers.Layer`.
        generator: `keras.random.SeedGenerator`.
    """
    if _found(layer, "_get_seed_generator") is not None:
        layer._get_seed_generator = lambda backend=None: generator
    for inner in vars(layer).values():
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, keras.layers.Layer):
                draw_from(part, generator)


def start_at_epoch(model, epoch):
    """Sets the first epoch of a running `fit`; `None` keeps its `initial_epoch`.

    Without it, users must pass `initial_epoch` to `fit` to resume a training.

    Args:
        model: `keras.Model`.
        epoch: int, starting at 0, or `None`.
    """
    if hasattr(model, "_initial_epoch"):
        model._initial_epoch = epoch


def make_metrics(model, spec):
    """Creates the variables of a compiled model's metrics and losses, like its first step.

    Without it, the metrics of a resumed epoch start at zero.

    Args:
        model: `keras.Model`.
        spec: nested structure of `tf.TensorSpec` of a batch.
    """
    build = _found(model, "_symbolic_build")
    if build is not None:
        build(
            data_batch=keras.tree.map_structure(
                lambda part: keras.KerasTensor(tuple(part.shape), part.dtype.name), spec
            )
        )


def losses():
    """Returns a message for each value that `summary` cannot show with the installed Keras."""
    version = f"cannot be computed with Keras {keras.__version__}"
    found = []
    if not runs_graphs():
        found.append(f"Output shapes, multiply-adds and receptive fields {version}.")
    layer = keras.layers.Identity()
    if sublayers(layer) is None or call_records(layer) is None:
        found.append(f"Multiply-adds and receptive fields of composite layers {version}.")
    return tuple(found)


def patch_tf2onnx():
    """Patches tf2onnx 1.17 for NumPy 2, as Keras does before it exports to ONNX.

    Without it, conversions to ONNX fail if tf2onnx does not support NumPy 2.
    """
    try:
        from keras.src.export.tf2onnx_lib import patch_tf2onnx as patch
    except ImportError:
        return
    patch()


def _found(owner, name):
    return getattr(owner, name, None)
