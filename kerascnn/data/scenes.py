"""The embedded images for segmentation: scenes of handwritten digits."""

import numpy as np
import tensorflow as tf
from PIL import Image

from kerascnn.data.digits import digit_images, digit_parts
from kerascnn.data.segmentation import SegmentationData

SIZE = 48
_COUNTS = {"train": 1000, "validation": 100, "test": 200}
# A digit's mask covers the pixels where its enlarged image is brighter than this; around this
# value, the opacity rises from 0 to 1.
_INK = 96
_SOFT = 48
# Number of attempts to place a digit before it is left out.
_TRIES = 10


def scenes(seed=0):
    """Returns images of 48x48 pixels with up to five colored digits on a colored background.

    Digits may touch but do not overlap. A mask has the digit that every pixel belongs to, or the
    background. Training scenes use the training images of `"digits"`, and so on, so no digit of a
    test scene was trained on.

    Args:
        seed: int, random seed.

    Returns:
        `SegmentationData` with 1,000 scenes for training, 100 for validation and 200 for testing.
    """
    images, labels = digit_images()[..., 0], digit_parts()
    elements = {}
    for number, (split, count) in enumerate(_COUNTS.items()):
        rng = np.random.default_rng((seed, number))
        indices, digits = labels[split]
        drawn = [_scene(rng, images[indices], digits) for _ in range(count)]
        elements[split] = tf.data.Dataset.from_tensor_slices(
            tuple(np.stack(column) for column in zip(*drawn, strict=True))
        )
    return SegmentationData(
        name="scenes",
        class_names=("background", *(str(digit) for digit in range(10))),
        ignored=(),
        stored_shape=(SIZE, SIZE, 3),
        elements=elements,
        decode=lambda image, mask: (image, mask),
        num_examples=dict(_COUNTS),
    )


def _scene(rng, images, digits):
    corners = Image.fromarray(rng.integers(0, 110, (2, 2, 3), np.uint8))
    image = np.asarray(corners.resize((SIZE, SIZE), Image.Resampling.BILINEAR), np.float32)
    image = image + rng.normal(0, 8, image.shape)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for _ in range(rng.integers(2, 6)):
        i = rng.integers(len(images))
        side = int(rng.integers(13, 21))
        digit = Image.fromarray(images[i]).resize((side, side), Image.Resampling.BICUBIC)
        alpha = np.asarray(digit, np.float32)
        place = _free_place(rng, mask, alpha > _INK)
        if place is None:
            continue
        color = rng.integers(140, 256, 3)
        opacity = np.clip((alpha[..., np.newaxis] - _INK + _SOFT) / (2 * _SOFT), 0, 1)
        image[place] = image[place] * (1 - opacity) + color * opacity
        mask[place][alpha > _INK] = 1 + digits[i]
    return np.clip(np.round(image), 0, 255).astype(np.uint8), mask


def _free_place(rng, mask, ink):
    """Returns a position where a digit covers no other, or `None` after a few attempts."""
    side = len(ink)
    for top, left in rng.integers(0, SIZE - side + 1, (_TRIES, 2)):
        place = (slice(top, top + side), slice(left, left + side))
        if not mask[place][ink].any():
            return place
    return None
