"""PyTorch's side of `layers.py`, in a process of its own, so that its threads are idle meanwhile.

Prints the seconds of `repeats` forward passes or training steps.
"""

import torch
from timing import seconds
from torch import nn
from worker import serve


def conv(channels, filters, kernel_size, strides=1, groups=1, dilation_rate=1, use_bias=True):
    padding = (kernel_size - 1) * dilation_rate // 2
    return nn.Conv2d(
        channels, filters, kernel_size, strides, padding, dilation_rate, groups, use_bias
    )


def depthwise(channels, kernel_size, strides=1, depth_multiplier=1, use_bias=True):
    filters = channels * depth_multiplier
    return conv(channels, filters, kernel_size, strides, channels, use_bias=use_bias)


def transposed(channels, filters, kernel_size, strides, groups=1, use_bias=True):
    padding = max(kernel_size - strides, 0)
    return nn.ConvTranspose2d(
        channels,
        filters,
        kernel_size,
        strides,
        (padding + 1) // 2,
        padding % 2,
        groups,
        use_bias,
    )


class Unpooled(nn.Module):
    def forward(self, x):
        pooled, indices = nn.functional.max_pool2d(x, 2, return_indices=True)
        return nn.functional.max_unpool2d(pooled, indices, 2)


class Pooled(nn.Module):
    def forward(self, x):
        return nn.functional.max_pool2d(x, 2, return_indices=True)[0]


class Blurred(nn.Module):
    def __init__(self, channels, size, strides, mode):
        super().__init__()
        self.pad = nn.ReflectionPad2d(size // 2) if mode == "reflect" else nn.ZeroPad2d(size // 2)
        self.register_buffer("kernel", torch.rand(channels, 1, size, size))
        self.strides = strides

    def forward(self, x):
        channels = self.kernel.shape[0]
        return nn.functional.conv2d(self.pad(x), self.kernel, stride=self.strides, groups=channels)


class Gated(nn.Module):
    def __init__(self, channels, reduction):
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x):
        return x * self.gate(x)


class Maximum(nn.Module):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def forward(self, x):
        return x.unflatten(1, (self.units, -1)).amax(2)


class SampleDropped(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        kept = torch.empty(x.shape[0], 1, 1, 1).bernoulli_(1 - self.rate)
        return x * (kept / (1 - self.rate))


class Distances(nn.Module):
    def __init__(self, channels, units):
        super().__init__()
        self.register_buffer("prototypes", torch.randn(units, channels))

    def forward(self, x):
        return (x.flatten(1)[:, None] - self.prototypes).square().sum(-1)[:, :, None, None]


class ScaledTanh(nn.Module):
    def forward(self, x):
        return 1.7159 * torch.tanh(x * (2 / 3))


FACTORIES = {
    "BatchNormalization": lambda channels: nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01),
    "BlurPool2D": lambda channels: Blurred(channels, 3, 2, "reflect"),
    "ChannelShuffle": lambda channels, groups: nn.ChannelShuffle(groups),
    "Conv2DTranspose": transposed,
    "DepthwiseConv2D": depthwise,
    "Dropout": lambda channels, rate: nn.Dropout(rate),
    "FixedFilter2D": lambda channels, filter: Blurred(channels, 5, 1, "zeros"),
    "GroupConv2D": conv,
    "LocalResponseNormalization": lambda channels, size=5: nn.LocalResponseNorm(size, k=2.0),
    "MaxPoolWithArgmax2D": lambda channels: Pooled(),
    "MaxUnpool2D": lambda channels: Unpooled(),
    "Maxout": lambda channels, units: Maximum(units),
    "PixelShuffle": lambda channels, block_size: nn.PixelShuffle(block_size),
    "PixelUnshuffle": lambda channels, block_size: nn.PixelUnshuffle(block_size),
    "PointwiseConv2D": lambda channels, filters, **kwargs: conv(channels, filters, 1, **kwargs),
    "RBFOutput": Distances,
    "ScaledTanh": lambda channels: ScaledTanh(),
    "SeparableConv2D": lambda channels, filters, kernel_size: nn.Sequential(
        depthwise(channels, kernel_size, use_bias=False), conv(channels, filters, 1)
    ),
    "SqueezeExcite": Gated,
    "StochasticDepth": lambda channels, rate: SampleDropped(rate),
    "SubpixelConv2D": lambda channels, filters, kernel_size, block_size: nn.Sequential(
        conv(channels, filters * block_size**2, kernel_size), nn.PixelShuffle(block_size)
    ),
    "Subsampling2D": lambda channels: nn.AvgPool2d(2),
}


def in_channels_last(*shape):
    return torch.randn(shape).to(memory_format=torch.channels_last)


def runners(layer, arguments, shape, repeats):
    batch, height, width, channels = shape
    module = FACTORIES[layer](channels, **arguments).to(memory_format=torch.channels_last).train()
    images = [in_channels_last(batch, channels, height, width) for _ in range(repeats)]
    gradients = [in_channels_last(*module(images[0]).shape) for _ in images]
    leaves = [image.clone().requires_grad_() for image in images]

    def forward():
        for image in images:
            module(image)

    def step():
        for image, gradient in zip(leaves, gradients, strict=True):
            image.grad = None
            module.zero_grad(set_to_none=True)
            module(image).backward(gradient)

    return {"forward": lambda: seconds(forward), "step": lambda: seconds(step)}


if __name__ == "__main__":
    serve(runners)
