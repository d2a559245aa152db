"""Images without labels, and the pipelines that feed them to an upscaling model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

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
    """A dataset of images without labels; `load_upscaling` makes it.

    Args:
        name: str, the name of the dataset or the path of the folder.
        images: `{split: tuple of images}`, each with `.name`, `.size` (height, width) and
            `.read()`, which returns a uint8 array `(height, width, 3)`.
        smallest: int, how many pixels high and wide an image had to be.
        report: optional `kerascnn.data.report.Report` on how a folder is read.
    """

    name: str
    images: Mapping[str, tuple[StoredImage, ...]]
    smallest: int = 1
    report: Report | None = None

    @property
    def num_examples(self):
        """`{split: number of images}`."""
        return {split: len(images) for split, images in self.images.items()}

    def pipeline(
        self,
        split,
        *,
        factor,
        channels,
        patch_size=17,
        patches=16_000,
        batch_size=16,
        seed=0,
    ):
        """Returns batches of images in two resolutions for `model.fit`.

        Images are downscaled as a whole (`downscale_bicubic`). For training, square patches at the
        same random place of both resolutions are cut out and randomly flipped and turned by
        quarters, other ones in every epoch; every image gives the same number of them. What a step
        sees depends on `seed`, the number of the epoch and the place in the epoch alone. The other
        splits give whole images in their order, one in a batch, or the middle of images that are
        higher or wider than 480 pixels.

        Args:
            split: `"train"`, `"validation"` or `"test"`.
            factor: int, how many times larger the high resolution is.
            channels: 1 for luminance, or 3.
            patch_size: int, the height and width of a patch in low resolution.
            patches: int, how many of them an epoch has; rounded up to the same number for each
                image, and for several images to whole batches.
            batch_size: int, patches in a batch.
            seed: int, decides the order, places and turns of patches.

        Returns:
            `tf.data.Dataset` of pairs of float32 tensors `(batch, height, width, channels)` and
            `(batch, height * factor, width * factor, channels)` in [0, 1].

        Raises:
            UsageError: for a wrong argument, a split without images, or a training image that is
                smaller than a patch.

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

    def examples(self, split):
        """Yields the images one by one, in the order of the pipelines of validation and test.

        Args:
            split: `"train"`, `"validation"` or `"test"`.

        Yields:
            the path of the file below the folder, a uint8 image `(height, width, 3)`, and `None`.
        """
        for image in self.images[one_of(split, SPLITS, "split")]:
            yield image.name, image.read(), None


def load_upscaling(name_or_folder, *, strict=False, smallest=1, max_pixels=None, value_ranges=None):
    """Loads a dataset of images without labels.

    A folder may have a subfolder for each split, as DIV2K has (what is missing of validation and
    test is then cut from training); otherwise all images below it are used. A cut takes a tenth, at
    least one image, chosen by a hash of the file's name. Each image is read once, to find broken
    ones.

    Args:
        name_or_folder: `"photos"` (embedded: the two sample photographs of scikit-learn, of
            `china.jpg` the left three quarters to train on and the rest for validation,
            `flower.jpg` for the test), or a folder of images.
        strict: bool, whether a broken or too small image is an error; otherwise it is skipped with
            a `SkippedImageWarning`.
        smallest: int, how many pixels high and wide an image must be.
        max_pixels: int, the largest image in a folder that is read, as in `read_image`.
        value_ranges: optional `{type: (low, high)}` that the images of a folder with more than
            eight bits are scaled by, as in `read_image`; by default what the training images need.

    Returns:
        `UpscalingData`.

    Raises:
        FileNotFoundError: if there is no such folder.
        UsageError: if it has no images that are large enough.
        UnreadableImageError: if `strict` and an image is broken.

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
        raise FileNotFoundError(
            f"There is no folder {name}; images to upscale are 'photos' or those of a folder."
        )
    from kerascnn.data.image_folder import image_folder

    return image_folder(name, strict, smallest, max_pixels, value_ranges)
