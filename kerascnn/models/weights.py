"""Pretrained weights of `keras.applications` and torchvision."""

import math
import re
from collections.abc import Mapping

import keras
import numpy as np

from kerascnn.arguments import UsageError
from kerascnn.layers import Dropout
from kerascnn.models.new_head import HEAD, head_names
from kerascnn.models.registry import rows

# Names of Keras weights in torchvision modules, in Keras's order.
_TORCH_WEIGHTS = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "weight",
    "beta": "bias",
    "moving_mean": "running_mean",
    "moving_variance": "running_var",
}

# Names of the layers of a head in Keras and torchvision.
_KERAS_HEAD = (*HEAD, "fc", "conv_preds", "predictions")
_TORCH_HEAD = ("aux", "classifier.", "fc.")


def load_weights_from(model: keras.Model, source: keras.Model, include_top: bool = True) -> None:
    """Loads weights from another model of the same architecture.

    Args:
        model: `keras.Model` from `create_model`.
        source: `keras.Model` of `keras.applications` (VGG16, VGG19, ResNet50, ResNet101, ResNet152,
            DenseNet121, MobileNet, MobileNetV2), the state dict of a PyTorch model with
            torchvision's names (AlexNet, VGG, GoogLeNet, ResNet, ResNeXt, DenseNet, MobileNetV2,
            ShuffleNetV2), or another model from `create_model`.
        include_top: bool; if false, the head (`logits`, and the layers before it in a VGG) keeps
            its weights, and `source` need not have a head. A segmentation model loads the encoder
            that it shares with a classifier, and keeps its decoder.

    Raises:
        ValueError: if `model` and `source` have different architectures, or dense layers for images
            of different sizes; then `model` is unchanged.
            For differences between published forms, use the options of the builder (`use_bias`,
            `stride_in`, `epsilon`, `padding`).

    Example:
        >>> import keras
        >>> import kerascnn
        >>> source = keras.applications.MobileNet(alpha=1.0, weights=None, classes=5)
        >>> model = kerascnn.models.create_model("mobilenet_v1", num_classes=5)
        >>> kerascnn.models.load_weights_from(model, source)
    """
    wanted = [layer for layer in model.layers if layer.weights and layer.name != "preprocessing"]
    if not include_top:
        head = set(head_names(model))
        wanted = [layer for layer in wanted if layer.name not in head]
    if isinstance(source, keras.Model):
        found = _from_keras(model, wanted, source)
    elif isinstance(source, Mapping):
        found = _from_torch(model, wanted, source)
    else:
        raise UsageError(
            "`source` must be a `keras.Model` or a PyTorch state dict; "
            f"got {type(source).__name__}."
        )
    for layer, arrays in zip(wanted, found, strict=True):
        for weight, array in zip(layer.weights, arrays, strict=True):
            if tuple(weight.shape) != array.shape:
                raise UsageError(
                    f"The weight {weight.name!r} of the layer {layer.name!r} must have the shape "
                    f"{tuple(weight.shape)}; got {array.shape} from the source."
                )
    for layer, arrays in zip(wanted, found, strict=True):
        layer.set_weights(arrays)


def _from_keras(model, wanted, source):
    layers = {layer.name: layer for layer in source.layers if layer.weights}
    if all(layer.name in layers for layer in wanted):
        names = {layer.name: layer.name for layer in wanted}
    else:
        names = _renamed(model, wanted, layers, "keras_names", "keras.applications")
    _check_names(names, layers, "layer")
    _check_nothing_is_left(names, layers, _KERAS_HEAD)
    found = []
    for layer in wanted:
        arrays = layers[names[layer.name]].get_weights()
        if len(arrays) != len(layer.weights):
            raise UsageError(
                f"The layer {layer.name!r} must have {len(layer.weights)} weights in the source; "
                f"got {len(arrays)} (do the builder's options, such as `use_bias`, match?)."
            )
        # Some models end in a 1x1 convolution instead of a dense layer.
        squeeze = isinstance(layer, keras.layers.Dense) and arrays[0].ndim == 4
        found.append([array[0, 0] if array.ndim == 4 and squeeze else array for array in arrays])
    return found


def _from_torch(model, wanted, source):
    # Files from before 2018 have an additional dot in the names of DenseNet's modules.
    state = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))\.(\d)", r"\1\2", key): value
        for key, value in source.items()
    }
    modules = {key.rpartition(".")[0] for key in state}
    names = _renamed(model, wanted, modules, "torchvision_names", "torchvision")
    keys = {
        layer.name: [
            f"{names[layer.name]}.{_TORCH_WEIGHTS[weight.name]}" for weight in layer.weights
        ]
        for layer in wanted
    }
    flat = {key: key for of_layer in keys.values() for key in of_layer}
    _check_names(flat, state, "entry")
    counters = {key for key in state if key.endswith("num_batches_tracked")}
    _check_nothing_is_left(flat, set(state) - counters, _TORCH_HEAD)
    flattened = _flattened_shapes(model)
    return [
        [
            _as_keras(_as_array(state[key]), layer, weight, flattened.get(layer.name))
            for key, weight in zip(keys[layer.name], layer.weights, strict=True)
        ]
        for layer in wanted
    ]


def _renamed(model, wanted, found, rules, library):
    """Maps our layers to the names of the source's layers, by the rules of a matching model.

    Tries the rules of the model itself first, then rules whose names are in the source.
    """
    candidates = []
    for _, family, config in sorted(rows(), key=lambda row: row[0] != model.name):
        known = getattr(family, rules)(config)
        names = {}
        for layer in wanted:
            names[layer.name] = _name(layer.name, known)
            if names[layer.name] is None:
                break
        else:
            # With other depths, a config may give two layers the same name.
            if len(set(names.values())) == len(names):
                candidates.append(names)
    if not candidates:
        raise UsageError(
            f"`model` must have an architecture that {library} also has, and come from "
            f"`create_model`; got {model.name!r}."
        )
    return next((names for names in candidates if set(names.values()) <= set(found)), candidates[0])


def _name(name, rules):
    for pattern, rule in rules.items():
        match = re.fullmatch(pattern, name)
        if match:
            groups = [int(part) if part.isdigit() else part for part in match.groups()]
            return rule(*groups) if callable(rule) else rule
    return None


def _check_names(names, found, what):
    missing = [name for name in names.values() if name not in found]
    if missing:
        raise UsageError(
            f"`source` must have the {what} {missing[0]!r}; {len(missing)} of the "
            f"{len(names)} that the model needs are missing."
        )


def _check_nothing_is_left(names, found, heads):
    left = sorted(name for name in set(found) - set(names.values()) if not name.startswith(heads))
    if left:
        raise UsageError(
            f"`source` must have the same architecture; {left[0]!r} and "
            f"{len(left) - 1} more of its weights are not in the model."
        )


def _flattened_shapes(model):
    """Returns `{layer: shape}`, the shapes before flattening of the inputs of dense layers."""
    producers = {id(layer.output): layer for layer in model.layers}
    shapes = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dense):
            before = producers[id(layer.input)]
            while isinstance(before, (keras.layers.Dropout, Dropout)):
                before = producers[id(before.input)]
            if isinstance(before, keras.layers.Flatten):
                shapes[layer.name] = tuple(before.input.shape[1:])  # pyright: ignore[reportAttributeAccessIssue]
    return shapes


def _as_keras(array, layer, weight, flattened):
    """Transposes a PyTorch array to the order of Keras's axes."""
    if array.ndim == 4:
        depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
        array = array.transpose((2, 3, 0, 1) if depthwise else (2, 3, 1, 0))
    elif array.ndim == 2:
        array = array.T
        if flattened and math.prod(flattened) != len(array):
            raise UsageError(
                "`source` must have the model's architecture and image size; got a dense layer "
                f"{layer.name!r} with {len(array)} inputs instead of {math.prod(flattened)}."
            )
        if flattened and keras.config.image_data_format() == "channels_last":
            height, width, channels = flattened
            array = array.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
            array = array.reshape(height * width * channels, -1)
    return array


def _as_array(value):
    if not hasattr(value, "detach"):
        return np.asarray(value)
    value = value.detach().cpu()
    return np.asarray(value.float() if str(value.dtype) == "torch.bfloat16" else value)
