"""An export in the place of the `keras.Model` that it was made of."""

import numpy as np

from kerascnn.data.pixels import to_channels


class ExportedNetwork:
    """An export behind what tasks use of a `keras.Model`.

    Images are rounded to gray levels, as an export takes them.

    Args:
        exported: `kerascnn.export.ExportedModel`.
        output: function of its dict of arrays that returns the output of the model.
        input_shape: tuple, that of the model.
    """

    def __init__(self, exported, output, input_shape):
        self.exported = exported
        self.input_shape = tuple(input_shape)
        self._output = output

    def predict_on_batch(self, images):
        """Returns the output for a batch of images with values in [0, 1]."""
        pixels = np.round(255 * np.clip(images, 0, 1)).astype(np.uint8)
        return self._output(self.exported(pixels))

    def predict_image(self, image):
        """Returns the output for a uint8 image of any size, with preprocessing by the export."""
        image = np.asarray(to_channels(image, self.input_shape[-1]))
        return self._output(self.exported(image[np.newaxis]))[0]


def log_probabilities(outputs):
    """Returns logits with the probabilities of an export."""
    return np.log(np.maximum(outputs["probabilities"], np.finfo(np.float32).tiny))
