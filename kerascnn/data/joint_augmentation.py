"""Random views of an image and its mask, with all geometry in a single resampling."""

import math

import tensorflow as tf

from kerascnn.arguments import UsageError

_JOINT = ("flip", "shift", "zoom", "rotate", "color")


def random_view(augment, window):
    """Returns a function that takes a random crop of an augmented image and its mask.

    All geometry (flip, zoom, rotation and crop position) is one affine transform: images are
    resampled once, bilinearly, and masks by nearest neighbor. Pixels outside the image are black,
    and 255 in the mask.

    Args:
        augment: `kerascnn.data.Augmentation`, only with operations that apply to masks.
        window: `(height, width)` of the crop.

    Returns:
        function of a float32 image `(height, width, channels)` in [0, 1], a uint8
        mask `(height, width)` and an int64 seed of shape `(2,)`; it returns a float32 image
        `(*window, channels)` and a uint8 mask `window`.

    Raises:
        UsageError: if `augment` has an operation that does not apply to masks.
    """
    other = [name for name in augment.names() if name not in _JOINT]
    if other:
        raise UsageError(
            f"Images with masks are augmented by {', '.join(_JOINT)}; got {', '.join(other)}."
        )
    window = tuple(window)
    straight = not (augment.zoom or augment.rotate)

    def view(image, mask, seed):
        if not augment.names() and mask.shape == window:
            return image, mask
        drawn = tf.random.stateless_uniform((9,), seed, -1.0, 1.0)
        transform = _transform(augment, tf.shape(mask), window, drawn, straight)
        image = _resample(image, transform, window, "BILINEAR", 0.0)
        mask = _resample(mask[..., tf.newaxis], transform, window, "NEAREST", 255.0)[..., 0]
        if augment.color:
            contrast = 1.0 + augment.color * drawn[6]
            mean = tf.reduce_mean(image)
            image = (image - mean) * contrast + mean + 0.5 * augment.color * drawn[7]
            image = tf.clip_by_value(image, 0.0, 1.0)
        return image, mask

    return view


def _transform(augment, size, window, drawn, straight):
    """Returns the transform from view to image coordinates, as the op's eight numbers."""
    zoom = 1.0 + augment.zoom * drawn[0]
    angle = math.radians(augment.rotate) * drawn[1]
    mirror = tf.where(drawn[2] < 0, -1.0, 1.0) if augment.flip else 1.0
    cos, sin = tf.cos(angle) / zoom, tf.sin(angle) / zoom
    height, width = (tf.cast(size[i], tf.float32) for i in (0, 1))

    def center(side, seen, place, shift):
        """Returns the view's center: a random position that keeps the view inside the image."""
        room = tf.maximum(side - seen, 0.0)
        return (side - 1) / 2 + 0.5 * room * place + augment.shift * side * shift

    y = center(height, window[0] / zoom, drawn[3], drawn[5])
    x = center(width, window[1] / zoom, drawn[4], drawn[8])
    half_y, half_x = (window[0] - 1) / 2, (window[1] - 1) / 2
    to_x = x - (cos * mirror * half_x - sin * half_y)
    to_y = y - (sin * mirror * half_x + cos * half_y)
    if straight:  # whole pixels: nothing is blurred
        to_x, to_y = tf.round(to_x), tf.round(to_y)
    zero = tf.zeros(())
    return tf.stack([cos * mirror, -sin, to_x, sin * mirror, cos, to_y, zero, zero])[tf.newaxis]


def _resample(image, transform, window, interpolation, outside):
    resampled = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[tf.newaxis],
        transforms=transform,
        output_shape=tf.constant(window, tf.int32),
        fill_value=outside,
        interpolation=interpolation,
        fill_mode="CONSTANT",
    )[0]
    resampled.set_shape((*window, image.shape[-1]))
    return resampled
