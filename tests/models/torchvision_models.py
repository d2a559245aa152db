"""torchvision's models beside a PyTorch that its compiled operations were not built for."""

import functools

import numpy as np


@functools.cache
def _torchvision():
    """torchvision itself; its models are plain PyTorch.

    Only detection needs the operations that torchvision compiles, but importing it fails where they
    do not load, unless the two that it registers more for are declared.
    """
    import torch

    library = torch.library.Library("torchvision", "DEF")
    for name in ("nms", "qnms"):
        library.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
    import torchvision

    return library, torchvision.models


def torchvision_model(name, **options):
    """A model of torchvision with random weights and statistics, in inference mode."""
    import torch

    models = _torchvision()[1]
    if name == "googlenet":
        options.setdefault("init_weights", False)  # theirs takes a minute
    torch.manual_seed(0)
    model = models.get_model(name, **options).eval()
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.1)
                module.running_var.uniform_(0.8, 1.2)
                module.weight.uniform_(0.8, 1.2)
                module.bias.normal_(0, 0.1)
    return model


def torch_logits(model, images):
    """The answers of a PyTorch model to images with channels last."""
    import torch

    with torch.no_grad():
        return model(torch.from_numpy(np.moveaxis(images, 3, 1).copy())).numpy()
