"""PyTorch's side of `models.py`, in a process of its own, so that its threads are idle meanwhile.

Prints the seconds of a training step in an epoch of so many, or with what is in it.
"""

import torch
from timing import seconds
from torch import nn
from torch.profiler import ProfilerActivity, profile
from worker import serve


def lenet5(channels):
    return nn.Sequential(
        nn.Conv2d(channels, 6, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, 5),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(400, 120),
        nn.ReLU(),
        nn.Linear(120, 84),
        nn.ReLU(),
        nn.Linear(84, 10),
    )


def conv_norm(channels, filters, kernel_size, stride=1, groups=1, activation=nn.ReLU):
    padding = kernel_size // 2
    return nn.Sequential(
        nn.Conv2d(channels, filters, kernel_size, stride, padding, groups=groups, bias=False),
        nn.BatchNorm2d(filters),
        *([activation(inplace=True)] if activation else []),
    )


class Residual(nn.Module):
    def __init__(self, branch, shortcut):
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x):
        return nn.functional.relu(self.shortcut(x) + self.branch(x), inplace=True)


class Zeros(nn.Module):
    """A shortcut without parameters: every second pixel, and feature maps of zeros."""

    def __init__(self, channels, stride):
        super().__init__()
        self.channels = channels
        self.stride = stride

    def forward(self, x):
        x = x[:, :, :: self.stride, :: self.stride]
        return nn.functional.pad(x, (0, 0, 0, 0, 0, self.channels))


def basic(channels, width, stride):
    branch = nn.Sequential(
        conv_norm(channels, width, 3, stride), conv_norm(width, width, 3, activation=None)
    )
    same = channels == width
    return Residual(branch, nn.Identity() if same else Zeros(width - channels, stride)), width


def bottleneck(channels, width, stride, groups=8):
    inner, filters = width * groups, 4 * width
    branch = nn.Sequential(
        conv_norm(channels, inner, 1),
        conv_norm(inner, inner, 3, stride, groups),
        conv_norm(inner, filters, 1, activation=None),
    )
    same = channels == filters
    shortcut = nn.Identity() if same else conv_norm(channels, filters, 1, stride, activation=None)
    return Residual(branch, shortcut), filters


def residual(channels, block, widths):
    """Three stages of three blocks after a 3x3 convolution; the second and third halve the size."""
    blocks = [conv_norm(channels, widths[0], 3)]
    channels = widths[0]
    for stage, width in enumerate(widths):
        for i in range(3):
            made, channels = block(channels, width, 2 if stage > 0 and i == 0 else 1)
            blocks.append(made)
    return nn.Sequential(*blocks, *classified(channels))


def classified(channels, *before_logits):
    return nn.AdaptiveAvgPool2d(1), nn.Flatten(), *before_logits, nn.Linear(channels, 10)


# Howard et al., 2017, table 1: filters and strides of the depthwise separable convolutions.
MOBILENET_V1 = ((64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2)) + 5 * ((512, 1),)
MOBILENET_V1 += ((1024, 2), (1024, 1))


def mobilenet_v1(channels):
    blocks = [conv_norm(channels, 32, 3, activation=nn.ReLU6)]
    channels = 32
    for filters, stride in MOBILENET_V1:
        blocks += [
            conv_norm(channels, channels, 3, stride, channels, nn.ReLU6),
            conv_norm(channels, filters, 1, activation=nn.ReLU6),
        ]
        channels = filters
    return nn.Sequential(*blocks, *classified(channels, nn.Dropout(0.001)))


class UNet(nn.Module):
    """U-Net as it is used today: same padding and batch normalization."""

    def __init__(self, channels, width, depth=4):
        super().__init__()
        self.encoder, self.up, self.decoder = (nn.ModuleList() for _ in range(3))
        for stage in range(depth + 1):
            filters = width * 2**stage
            self.encoder.append(twice(channels, filters))
            channels = filters
        for stage in reversed(range(depth)):
            filters = width * 2**stage
            self.up.append(nn.ConvTranspose2d(2 * filters, filters, 2, 2))
            self.decoder.append(twice(2 * filters, filters))
        self.logits = nn.Conv2d(width, 10, 1)

    def forward(self, x):
        skips = []
        for stage, convolutions in enumerate(self.encoder):
            x = convolutions(nn.functional.max_pool2d(x, 2) if stage else x)
            skips.insert(0, x)
        for up, convolutions, skip in zip(self.up, self.decoder, skips[1:], strict=True):
            x = convolutions(torch.cat([skip, up(x)], dim=1))
        return self.logits(x)


def twice(channels, filters):
    return nn.Sequential(conv_norm(channels, filters, 3), conv_norm(filters, filters, 3))


# MobileNet's only option, a stem without strides, is the form it has here anyway.
MODELS = {
    "lenet5": lambda channels, **options: lenet5(channels),
    "resnet20": lambda channels, **options: residual(channels, basic, (16, 32, 64)),
    "resnext29_8x64d": lambda channels, **options: residual(channels, bottleneck, (64, 128, 256)),
    "mobilenet_v1": lambda channels, **options: mobilenet_v1(channels),
    "unet": UNet,
}


def made(name, shape, parameters, options):
    """A module for training that has as many parameters as ours."""
    module = MODELS[name](shape[-1], **options)
    found = sum(parameter.numel() for parameter in module.parameters())
    assert found == parameters, f"{name} has {found} parameters in PyTorch and {parameters} in ours"
    return module.to(memory_format=torch.channels_last).train()


def runners(name, shape, batch, steps, parameters, options, masks, learning_rate, momentum):
    module = made(name, shape, parameters, options)
    optimizer = torch.optim.SGD(module.parameters(), learning_rate, momentum)
    images = torch.rand(batch * steps, *shape)
    labels = torch.randint(10, images.shape[: 3 if masks else 1])

    def epoch():
        """Keeps the mean loss and the accuracy, as Keras does."""
        loss_sum, correct = torch.zeros(()), torch.zeros((), dtype=torch.int64)
        for indices in torch.randperm(len(images)).split(batch):
            x, y = images[indices].permute(0, 3, 1, 2), labels[indices]  # channels last in memory
            logits = module(x)
            loss = nn.functional.cross_entropy(logits, y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss_sum += loss.detach()
            correct += (logits.argmax(1) == y).sum()
        return loss_sum.item() / steps, correct.item() / labels.numel()

    def operations():
        """Milliseconds and calls per step, by operation."""
        epoch()
        with profile(activities=[ProfilerActivity.CPU]) as found:
            took = seconds(epoch)
        rows = [
            (event.key, event.self_cpu_time_total / 1e3 / steps, event.count / steps)
            for event in found.key_averages()
        ]
        return {"step": 1e3 * took / steps, "rows": rows}

    return {"fit": lambda: seconds(epoch) / steps, "operations": operations}


if __name__ == "__main__":
    serve(runners)
