"""Datasets of images without labels, and pipelines for upscaling models."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from kerascnn.arguments import UsageError, one_of
from kerascnn.data.names import is_embedded
from kerascnn.data.report import Report
from kerascnn.data.resolution_pairs import random_patches, whole_images
from kerascnn.data.splits import SPLITS


@dataclass(frozen=True)
class StoredImage:
    """An image that is not yet read.

    Args:
        name: str, the path of its file below the folder of the dataset.
        size: pair `(height, width)`.
        read: function without arguments that returns a uint8 array `(height, width, 3)`.
    """

    name: str
    size: tuple[int, int]
    read: Callable[[], np.ndarray]


@dataclass(frozen=True)
class UpscalingData:
    """A dataset of images without labels, as returned by `load_upscaling`.

    Args:
        name: str, the name of the dataset or the path of the folder.
        images: `{split: tuple of images}`, each with `.name`, `.size` (height, width) and
            `.read()`, which returns a uint8 array `(height, width, 3)`.
        smallest: int, the minimum height and width of an image, in pixels.
        report: optional `kerascnn.data.report.Report` on how a folder was interpreted.
    """

    name: str
    images: Mapping[str, tuple[StoredImage, ...]]
    smallest: int = 1
    report: Report | None = None

    @property
    def num_examples(self) -> dict[str, int]:
        """`{split: number of images}`."""
        return {split: len(images) for split, images in self.images.items()}

    def pipeline(
        self,
        split: str,
        *,
        factor: int,
        channels: int,
        patch_size: int = 17,
        patches: int = 16_000,
        batch_size: int = 16,
        seed: int = 0,
    ) -> Any:
        """Returns batches of images in two resolutions for `model.fit`.

        Images are downscaled as a whole (`downscale_bicubic`). For training, square patches are cut
        out at the same random position of both resolutions, and randomly flipped and rotated by
        multiples of 90 degrees, differently in every epoch; every image gives the same number of
        patches. A step depends only on `seed`, the epoch and the batch number. The other splits
        return whole images in order, with a batch size of 1, or the center of images that are
        higher or wider than 480 pixels.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            factor: int, upscaling factor.
            channels: 1 for luminance, or 3.
            patch_size: int, height and width of a low-resolution patch.
            patches: int, number of patches per epoch; rounded up to the same number for each image,
                and with several images to whole batches.
            batch_size: int, patches per batch.
            seed: int, random seed for the order, positions and orientations of patches.

        Returns:
            `tf.data.Dataset` of pairs of float32 tensors `(batch, height, width, channels)` and
            `(batch, height * factor, width * factor, channels)` in [0, 1].

        Raises:
            UsageError: for a wrong argument, a split without images, or a training image smaller
                than a patch.

        Example:
            >>> import kerascnn
            >>> photos = kerascnn.data.load_upscaling("photos")
            >>> pipeline = photos.pipeline("train", factor=3, channels=1, patches=64)
            >>> low, high = next(iter(pipeline))
            >>> tuple(low.shape), tuple(high.shape), len(pipeline)
            ((16, 17, 17, 1), (16, 51, 51, 1), 4)
            >>> low, high = next(iter(photos.pipeline("test", factor=3, channels=1)))
            >>> tuple(low.shape), tuple(high.shape)
            ((1, 142, 160, 1), (1, 426, 480, 1))
        """
        images = self.images[one_of(split, SPLITS, "split")]
        if not images:
            raise UsageError(f"{self.name} must have images in its {split} split; got none.")
        if split != "train":
            return whole_images(images, factor, channels)
        return random_patches(images, factor, channels, patch_size, patches, batch_size, seed)

    def examples(self, split: str) -> Iterator[Any]:
        """Yields the images one by one, in the order of the validation and test pipelines.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Yields:
            the path of the file below the folder, a uint8 image `(height, width, 3)`, and `None`.
        """
        for image in self.images[one_of(split, SPLITS, "split")]:
            yield image.name, image.read(), None


def load_upscaling(
    name_or_folder: str | Path,
    *,
    strict: bool = False,
    smallest: int = 1,
    max_pixels: int | None = None,
    value_ranges: dict[str, Any] | None = None,
) -> UpscalingData:
    """Loads a dataset of images without labels.

    A folder may have a subfolder for each split, like DIV2K (a missing validation or test split is
    held out from training); otherwise all images below the folder are used. A held-out split is a
    tenth of the images, at least one image, chosen by a hash of the file name. Each image is read
    once, to find damaged files.

    Args:
        name_or_folder: `"photos"` (embedded: scikit-learn's two sample images; the left three
            quarters of `china.jpg` for training and the rest for validation, `flower.jpg` for
            testing), or a folder of images.
        strict: bool, whether a damaged or too small image is an error; otherwise it is skipped with
            a `SkippedImageWarning`.
        smallest: int, minimum height and width of an image, in pixels.
        max_pixels: int, largest number of pixels of an image, as in `read_image`.
        value_ranges: optional `{type: (low, high)}` to scale images of more than eight bits, as in
            `read_image`; by default computed from the training images.

    Returns:
        `UpscalingData`.

    Raises:
        FileNotFoundError: if there is no such folder.
        UsageError: if no image is large enough.
        UnreadableImageError: if `strict` and an image is damaged.

    Example:
        >>> import kerascnn
        >>> photos = kerascnn.data.load_upscaling("photos")
        >>> [(image.name, image.size) for image in photos.images["test"]]
        [('flower.jpg', (427, 640))]
    """
    name = str(name_or_folder)
    if is_embedded(name, "upscaling"):
        from kerascnn.data.photos import photos

        return replace(photos(), smallest=smallest)
    if not Path(name).is_dir():
        raise FileNotFoundError(f"There is no folder {name}; use 'photos' or a folder of images.")
    from kerascnn.data.image_folder import image_folder

    return image_folder(name, strict, smallest, max_pixels, value_ranges)
