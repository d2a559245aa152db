"""Predictions that consist of an image."""

from dataclasses import dataclass, field

import numpy as np

from kerascnn.data.images import to_pillow
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.printable import printable


@dataclass
class ImagePrediction:
    """A prediction that is an image.

    Args:
        kind: str, the key of the file in the results.
        image: uint8 array of shape `(height, width, channels)`.
    """

    kind: str
    image: np.ndarray
    saved: dict = field(default_factory=dict)

    def save(self, paths):
        with atomic_write(paths[self.kind]) as temporary:
            to_pillow(self.image).save(temporary)
        self.saved = {self.kind: printable(paths[self.kind])}

    def json(self):
        height, width = self.image.shape[:2]
        return {**self.saved, "width": width, "height": height}

    def line(self):
        found = self.json()
        return f"{found['width']}x{found['height']}  {found[self.kind]}"
