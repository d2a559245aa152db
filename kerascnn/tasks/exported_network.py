"""An exported model in place of its `keras.Model`."""

import numpy as np

from kerascnn.data.pixels import to_channels


class ExportedNetwork:
    """Wraps an exported model in the methods of `keras.Model` that tasks use.

    Images are rounded to integer pixel values, the input of exported models.

    Args:
        exported: `kerascnn.export.ExportedModel`.
        output: function that converts its dict of arrays to the output of the model.
        input_shape: tuple, the input shape of the model.
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
        """Returns the output for a uint8 image of any size, preprocessed by the exported model."""
        image = to_channels(np.asarray(image), self.input_shape[-1])
        return self._output(self.exported(image[np.newaxis]))[0]


def log_probabilities(outputs):
    """Returns logits that give the probabilities of an exported model."""
    return np.log(np.maximum(outputs["probabilities"], np.finfo(np.float32).tiny))
