"""The networks of `inference.py`: ours, of Keras's layers, and PyTorch's, and the files of each."""

import warnings
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

CLASSES = 10


@dataclass(frozen=True)
class Network:
    """A network on images of one size.

    Args:
        name: str, of our model.
        shape: tuple, the shape of an image.
        options: dict, arguments of our model.
        application: optional str, the same network in `keras.applications`.
        torch: optional str, the same network in torchvision, or in `torch_models.py`.
        form: optional str, in the title, to distinguish networks of one name.
    """

    name: str
    shape: tuple
    options: dict = field(default_factory=dict)
    application: str | None = None
    torch: str | None = None
    form: str | None = None

    @property
    def title(self):
        return f"{self.name} ({self.form})" if self.form else self.name


_LARGE = (224, 224, 3)
# In `keras.applications` it has its strides in the first convolution of a block: 6 % less work.
_KERAS = {"use_bias": True, "stride_in": "1x1", "epsilon": 1.001e-5}
NETWORKS = (
    Network("lenet5", (28, 28, 1), torch="lenet5"),
    Network("resnet20", (32, 32, 3), torch="resnet20"),
    Network("resnet50", _LARGE, torch="resnet50"),
    Network("resnet50", _LARGE, _KERAS, application="ResNet50", form="Keras's form"),
    Network("resnext50_32x4d", _LARGE, torch="resnext50_32x4d"),
    Network("mobilenet_v1", _LARGE, application="MobileNet", torch="mobilenet_v1"),
    Network("mobilenet_v2", _LARGE, application="MobileNetV2", torch="mobilenet_v2"),
    Network("densenet121", _LARGE, application="DenseNet121", torch="densenet121"),
    Network("unet", (96, 128, 3), {"width": 16}, torch="unet", form="96x128"),
    # PyTorch's takes multiples of 16 only.
    Network("unet", (352, 480, 3), {"width": 16}, torch="unet", form="352x480"),
    Network("espcn_x3", (96, 96, 1), torch="espcn_x3"),
)
# The networks of today's torchvision; the others are in `torch_models.py` or below.
_TORCHVISION = ("resnet50", "resnext50_32x4d", "mobilenet_v2", "densenet121")


def network_named(title):
    """Returns a network by its title."""
    return next(network for network in NETWORKS if network.title == title)


def our_model(network):
    import keras

    from kerascnn.models import create_model

    keras.utils.set_random_seed(0)
    classes = {} if network.name.startswith("espcn") else {"num_classes": CLASSES}
    model = create_model(network.name, input_shape=network.shape, **classes, **network.options)
    return _as_trained(model)


def _as_trained(model):
    """Draws the biases, scales and statistics of a new model, and returns it.

    TensorFlow removes additions of zero, and with them the bias to which it would join what follows
    a convolution: it computes a new model in another way than a trained one.
    """
    rng = np.random.default_rng(0)
    for weight in model.weights:
        if weight.name in ("bias", "beta", "moving_mean"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
        elif weight.name in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


def keras_model(network):
    """The same network of Keras's layers; `keras_layers.py` makes it."""
    from keras_layers import of_keras_layers

    if network.name.startswith("espcn"):
        return _keras_espcn(network)
    return of_keras_layers(our_model(network), network.shape)


def application_model(network):
    """The network of `keras.applications`."""
    import keras

    build = getattr(keras.applications, network.application)
    return _as_trained(
        build(weights=None, input_shape=network.shape, classes=CLASSES, classifier_activation=None)
    )


def _keras_espcn(network):
    import keras

    class Shuffle(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.nn.depth_to_space(x, 3)

    return _as_trained(
        keras.Sequential(
            [
                keras.Input(network.shape),
                keras.layers.Conv2D(64, 5, padding="same", activation="tanh"),
                keras.layers.Conv2D(32, 3, padding="same", activation="tanh"),
                keras.layers.Conv2D(9, 3, padding="same"),
                Shuffle(),
            ]
        )
    )


def torch_model(network):
    """PyTorch's network for inference, in NCHW."""
    import torch
    from torch import nn

    torch.manual_seed(0)
    if network.torch in _TORCHVISION:
        module = _torchvision().models.get_model(network.torch, weights=None, num_classes=CLASSES)
    elif network.torch == "espcn_x3":
        module = nn.Sequential(
            nn.Conv2d(1, 64, 5, padding=2),
            nn.Tanh(),
            nn.Conv2d(64, 32, 3, padding=1),
            nn.Tanh(),
            nn.Conv2d(32, 9, 3, padding=1),
            nn.PixelShuffle(3),
        )
    else:
        from torch_models import MODELS

        module = MODELS[network.torch](network.shape[-1], **network.options)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.weight.uniform_(0.5, 1.5)
                part.running_var.uniform_(0.5, 1.5)
                part.running_mean.normal_(0, 0.1)
            if getattr(part, "bias", None) is not None:
                part.bias.normal_(0, 0.1)
    return module.eval().to(memory_format=torch.channels_last)


def _torchvision():
    """Imports torchvision, also where the operators that it compiles do not fit PyTorch."""
    import torch

    # It declares how these two are traced, and no network here uses them.
    library = torch.library.Library("torchvision", "FRAGMENT")
    for name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, name):
            library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return torchvision


def write_file(network, kind, folder):
    """Writes a network as a file that sides read.

    Args:
        network: `Network`.
        kind: `"saved_model"`, `"onnx"`, `"openvino"` or `"litert"` of ours; `"keras_export"`,
            Keras's own SavedModel of its layers; `"application_export"`, the one of
            `keras.applications`; or `"torch_onnx"`, PyTorch's ONNX file.
        folder: path of a folder.

    Returns:
        str, the path.
    """
    folder = Path(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if kind == "torch_onnx":
            return _torch_file(network, folder / "torch.onnx")
        if kind.endswith("_export"):
            model = {"keras": keras_model, "application": application_model}[kind[:-7]](network)
            model.export(folder / kind, format="tf_saved_model", verbose=False)
            return str(folder / kind)
        from kerascnn.export import export

        suffix = {"saved_model": "", "onnx": ".onnx", "litert": ".tflite", "openvino": ".xml"}[kind]
        found = export(our_model(network), folder / f"ours{suffix}", format=kind, overwrite=True)
        return str(found.path)


def _torch_file(network, path):
    import torch

    height, width, channels = network.shape
    images = torch.rand(2, channels, height, width)
    torch.onnx.export(
        torch_model(network),
        (images,),
        str(path),
        input_names=["images"],
        dynamo=True,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,
        verbose=False,
    )
    return str(path)
