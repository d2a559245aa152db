"""Copies of models for inference, with batch normalization folded into kernels and biases."""

import warnings
from collections import defaultdict

import keras
import numpy as np

from kerascnn import layers
from kerascnn.models.channel_scaling import (
    Scaling,
    channel_axis_of,
    depends_on_place,
    has_kernel,
    is_activated,
    scaled,
)
from kerascnn.models.rewriting import (
    calls_of,
    checked_graph_model,
    copy_state,
    graph_model,
    remade,
    rewritten,
    same,
)

_NORMALIZATIONS = {keras.layers.BatchNormalization, layers.BatchNormalization}
# Layers that return their input at inference; kerascnn's only in the mode "inverted"
_IDENTITIES = {
    keras.layers.ActivityRegularization,
    keras.layers.AlphaDropout,
    keras.layers.Dropout,
    keras.layers.GaussianDropout,
    keras.layers.GaussianNoise,
    keras.layers.Identity,
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
    layers.DropBlock2D,
    layers.Dropout,
    layers.StochasticDepth,
}


def fold_batch_normalization(model: keras.Model) -> keras.Model:
    """Copies a model for inference, and folds batch normalization into neighboring layers.

    At inference, batch normalization computes `y = scale * x + shift` for each channel. Before or
    after a convolution (also grouped, depthwise, separable or transposed) or a dense layer, of
    Keras or kerascnn, this can be merged into the kernel and the bias of that layer, which gets a
    bias if it has none. The new weights are computed in float64. Layers that return their input at
    inference, such as `Dropout`, `GaussianNoise` and `StochasticDepth`, are removed.

    A batch normalization remains in the copy:

    - if it is not next to such a layer, or the layer applies an activation before it;
    - if other layers also use the layer before it, or a layer after it cannot absorb it;
    - if the layer next to it is called more than once;
    - if its shift is not zero and it is before a convolution that adds zeros, which are not
      shifted, or before a transposed convolution (a warning names it);
    - if it or its model is called with `training=True`, which also keeps dropout.

    The copy keeps all names and is not compiled. At inference, its outputs equal the model's up to
    rounding; it is not meant for training.

    Args:
        model: functional or sequential `keras.Model`, which may have nested models and shared
            layers. It is not changed.

    Returns:
        `keras.Model`.

    Raises:
        ValueError: if `model` is a subclassed `keras.Model`, a sequential model without an input
            shape, or has a layer that cannot be recreated from its configuration.

    Reference:
        [Jacob et al., 2018](https://arxiv.org/abs/1712.05877), section 3.2

    Example:
        >>> import keras
        >>> import kerascnn
        >>> model = kerascnn.models.create_model("resnet20")
        >>> folded = kerascnn.models.fold_batch_normalization(model)
        >>> len(model.layers) - len(folded.layers)
        19
    """
    plan = _Plan(model)

    def replacement(operation):
        if operation in plan.dropped:
            return None
        if operation in plan.scalings:
            return remade(operation, type(operation), use_bias=True)
        return same(operation)

    folded, pairs = rewritten(model, replacement)
    for layer, new in pairs:
        if layer in plan.scalings:
            new.set_weights(scaled(layer, plan.scalings[layer]))
        else:
            copy_state(layer, new)
    if plan.at_borders:
        names = ", ".join(repr(layer.name) for layer in plan.at_borders)
        warnings.warn(
            f"The batch normalization in {names} is not folded: its shift is not zero, and the "
            "convolution after it adds zeros, which are not shifted.",
            stacklevel=2,
        )
    return folded


class _Graph:
    """The calls in the graph of a model, with the producers and readers of tensors."""

    def __init__(self, model):
        self.calls, outputs = calls_of(checked_graph_model(model))
        self.in_training = False  # whether the model is called in training mode
        self.maker = {id(x): call for call in self.calls for x in call.outputs}
        self.readers = defaultdict(list)
        for call in self.calls:
            for x in keras.tree.flatten((call.args, call.kwargs)):
                if isinstance(x, keras.KerasTensor):
                    self.readers[id(x)].append(call)
        for x in outputs:
            self.readers[id(x)].append(None)  # the caller of the model


def _graphs(model):
    """Returns the graphs of a model and of the models nested in it, each once."""
    graphs = {}

    def visit(model, in_training):
        if id(model) not in graphs:
            graphs[id(model)] = _Graph(model)
        graph = graphs[id(model)]
        graph.in_training |= in_training
        for call in graph.calls:
            if graph_model(call.operation) is not None:
                visit(call.operation, in_training or not _is_off(call.kwargs.get("training")))

    visit(model, False)
    return list(graphs.values())


class _Plan:
    """The layers that folding removes, and the changed weights of other layers.

    `dropped` is the set of removed layers, `scalings` has a list of `Scaling` for each layer with
    changed weights, and `at_borders` lists the normalizations that remain because of zeros at the
    borders.
    """

    def __init__(self, model):
        self.dropped, self.scalings = set(), defaultdict(list)
        self._calls = defaultdict(list)  # of a layer: pairs (graph, call)
        for graph in _graphs(model):
            for call in graph.calls:
                self._calls[call.operation].append((graph, call))
        for layer, calls in self._calls.items():
            if _is_identity(layer) and all(_is_replaceable(*call) for call in calls):
                self.dropped.add(layer)
        left = [layer for layer in self._calls if type(layer) in _NORMALIZATIONS]
        before = None
        while left != before:  # a removed layer may bring the next one next to a kernel
            before, left = left, [layer for layer in left if not self._fold(layer)]
        self.at_borders = [layer for layer in left if self._kernels_beside(layer)]

    def _fold(self, layer):
        """Folds a normalization into the layers next to its calls; returns whether it succeeded."""
        kernels = self._kernels_beside(layer)
        scale, shift = _scale_and_shift(layer)
        at_border = any(after and depends_on_place(kernel) for kernel, after in kernels)
        if not kernels or (at_border and np.any(shift)):
            return False
        self.dropped.add(layer)
        for kernel, after in kernels:
            self.scalings[kernel].append(Scaling(scale, shift, of_input=after))
        return True

    def _kernels_beside(self, layer):
        """Returns pairs `(kernel_layer, after)` next to the calls of a normalization.

        Returns no pairs if a call is not next to a layer that can be scaled.
        """
        found = []
        for graph, call in self._calls[layer]:
            kernels = []
            if _is_replaceable(graph, call):
                kernels = self._kernel_before(graph, call) or self._kernels_after(graph, call)
            if not kernels:
                return []
            found += kernels
        return found

    def _kernel_before(self, graph, call):
        """Returns, in a list, the layer whose output only this call reads, if it can be scaled."""
        maker = graph.maker.get(id(call.args[0]))
        while maker is not None and maker.operation in self.dropped:
            maker = graph.maker.get(id(maker.args[0]))
        if maker is None or not self._is_scalable(graph, maker, call):
            return []
        only_reader = self._readers(graph, maker.outputs[0]) == [call]
        folds = only_reader and not is_activated(maker.operation)
        return [(maker.operation, False)] if folds else []

    def _kernels_after(self, graph, call):
        """Returns the layers that read the output of this call, if all can be scaled."""
        readers = self._readers(graph, call.outputs[0])
        scalable = all(reader and self._is_scalable(graph, reader, call) for reader in readers)
        return [(reader.operation, True) for reader in readers] if scalable else []

    def _is_scalable(self, graph, kernel_call, call):
        """Returns whether the layer of the first call can absorb the layer of the second call."""
        layer, rank = kernel_call.operation, len(call.outputs[0].shape)
        return (
            has_kernel(layer)
            and _is_inference(graph, kernel_call)
            and len(self._calls[layer]) == 1
            and channel_axis_of(layer) % rank == call.operation.axis % rank
        )

    def _readers(self, graph, x):
        """Returns the calls that read a tensor, also through removed layers."""
        found = []
        for reader in graph.readers[id(x)]:
            if reader is not None and reader.operation in self.dropped:
                found += self._readers(graph, reader.outputs[0])
            else:
                found.append(reader)
        return found


def _is_identity(layer):
    return type(layer) in _IDENTITIES and getattr(layer, "mode", "inverted") == "inverted"


def _is_replaceable(graph, call):
    """Returns whether the input of a call has the dtype of its output and can replace it."""
    return _is_inference(graph, call) and call.args[0].dtype == call.outputs[0].dtype


def _is_inference(graph, call):
    """Returns whether a call has a single tensor and no argument for training mode."""
    return (
        not graph.in_training
        and len(call.args) == 1
        and isinstance(call.args[0], keras.KerasTensor)
        and all(map(_is_off, call.kwargs.values()))
    )


def _is_off(value):
    return value is None or value is False  # it may be a tensor


def _scale_and_shift(layer):
    mean, variance, gamma, beta = (
        None if weight is None else keras.ops.convert_to_numpy(weight).astype("float64")  # pyright: ignore[reportAttributeAccessIssue]
        for weight in (layer.moving_mean, layer.moving_variance, layer.gamma, layer.beta)
    )
    scale = (variance + layer.epsilon) ** -0.5
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    return scale, shift if beta is None else shift + beta
