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


def draw_from(layer, generator):
    """Lets a preprocessing layer, and those that it holds, draw from a generator of seeds.

    Without it, augmentation draws from generators of its own, and a training that is resumed sees
    other random changes than one that never stopped.

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
    """Lets a `fit` that has begun start at an epoch; `None` for where its argument says.

    Without it, a training of a user's own `fit` that is resumed must be given `initial_epoch`.

    Args:
        model: `keras.Model`.
        epoch: int, counted from 0, or `None`.
    """
    if hasattr(model, "_initial_epoch"):
        model._initial_epoch = epoch


def make_metrics(model, spec):
    """Makes the variables of a compiled model's metrics and losses, as its first step would.

    Without it, the sums of metrics in the epoch that a training resumes in begin at zero.

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
