"""One door to all data."""

import dataclasses
from pathlib import Path

from kerascnn.data.embedded import embedded
from kerascnn.data.source import SPLITS

EMBEDDED = ("digits",)
EMBEDDED_WITH_MASKS = ("scenes",)


def find(name_or_folder, data_dir=None, strict=False):
    """Finds a data set, without building a pipeline yet; arguments and errors as in `load`.

    Returns:
        `Source`, which knows the class names and image sizes and makes the pipelines.

    Example:
        >>> import kerascnn
        >>> source = kerascnn.data.find("digits")
        >>> source.image_shape, source.num_examples["train"]
        ((8, 8, 1), 1257)
    """
    name = str(name_or_folder)
    if embedded(name, EMBEDDED):
        from kerascnn.data.digits import digits

        return digits()
    if Path(name).is_dir():
        from kerascnn.data.folder import folder

        return folder(name, strict)
    _refuse_paths(name)
    if name in EMBEDDED_WITH_MASKS:
        raise ValueError(f"{name!r} is a set of images with masks, which are for segmentation.")
    from kerascnn.data.tensorflow_datasets import tensorflow_dataset

    return tensorflow_dataset(name, data_dir)


def find_masks(name_or_folder, data_dir=None, ignore=None, strict=False, for_training=True):
    """Finds a set of images with masks, without building a pipeline yet.

    Args:
        name_or_folder: `"scenes"` (embedded: scikit-learn's handwritten digits, composed into
            scenes), a folder with `classes.txt`, `images` and `masks` (or with `train`, `val` and
            `test` folders of these two), or the name of a set of TensorFlow Datasets
            (`oxford_iiit_pet`).
        data_dir: folder of TensorFlow Datasets; a set prepared there needs no network.
        ignore: optional names of classes that count nowhere, as do those named `void` or the
            like, and the value 255 in a mask.
        strict: bool, whether a broken file in a folder is an error; otherwise it is skipped with a
            warning.
        for_training: bool, whether a folder must have images for training and validation, with all
            classes in them; a test needs none.

    Returns:
        `MaskSource`, which knows the class names and image sizes and makes the pipelines.

    Raises:
        ValueError: for an unknown name or an unusable folder, with the file that is at fault.
        FileNotFoundError: if a folder does not exist or lacks something.
        UnreadableImageError: if `strict` and a file is broken.
        ConnectionError: if a set is neither prepared nor can be downloaded.

    Example:
        >>> import kerascnn
        >>> source = kerascnn.data.find_masks("scenes")
        >>> images, masks = next(iter(source.pipeline("train", batch_size=4)))
        >>> tuple(images.shape), tuple(masks.shape), len(source.counted)
        ((4, 48, 48, 3), (4, 48, 48), 11)
    """
    name = str(name_or_folder)
    if embedded(name, EMBEDDED_WITH_MASKS):
        from kerascnn.data.scenes import scenes

        return dataclasses.replace(scenes(), ignored=tuple(ignore or ()))
    if Path(name).is_dir():
        from kerascnn.data.mask_folder import mask_folder

        return mask_folder(name, ignore, strict, for_training)
    _refuse_paths(name)
    from kerascnn.data.tensorflow_datasets import tensorflow_dataset_with_masks

    return tensorflow_dataset_with_masks(name, data_dir, ignore)


def _refuse_paths(name):
    """Says of what cannot be a name that there is no such folder."""
    # "emnist/letters" is a set with a configuration; "./letters" and "/letters" are folders.
    if name.startswith((".", "/", "~")) or Path(name).is_absolute():
        raise FileNotFoundError(f"There is no folder {name}.")


def load(
    name_or_folder,
    split=None,
    *,
    data_dir=None,
    image_size=None,
    channels=None,
    batch_size=128,
    seed=0,
    augment=None,
    strict=False,
):
    """Loads labelled images as a `tf.data` pipeline for `model.fit`.

    The training split is shuffled: in another order in every epoch, and in the same orders again
    under the same `seed`. The other splits keep their order. What fits into memory is decoded in
    the first epoch only; before, the images of a folder are read once to find broken ones.

    Args:
        name_or_folder: `"digits"` (embedded: scikit-learn's handwritten digits), a folder with a
            subfolder of images for each class (or with `train`, `validation` and `test` folders of
            that form), or the name of a classification set of TensorFlow Datasets.
        split: `"train"`, `"validation"` or `"test"`, or `None` for all three.
        data_dir: folder of TensorFlow Datasets; a set prepared there needs no network.
        image_size: `(height, width)` to resize to; by default the size of the images, if they
            share one.
        channels: 1 or 3; by default what the images have.
        batch_size: int.
        seed: int, decides the orders of the training split (together with TensorFlow's global seed,
            if one is set, as everywhere in TensorFlow).
        augment: optional `Augmentation` of the training split, or a function on a batch of its
            images, such as a Keras preprocessing layer.
        strict: bool, whether a broken image in a folder is an error; otherwise it is skipped with
            a warning.

    Returns:
        `(dataset, info)`: batches of float32 images `(batch, height, width, channels)` with values
        from 0 to 1 and int64 labels `(batch,)`, and a `DataInfo`. With `split=None`, `dataset` is
        a dict `{split: tf.data.Dataset}`.

    Raises:
        ValueError: for an unknown name, an unusable folder or a wrong argument.
        FileNotFoundError: if a folder does not exist.
        UnreadableImageError: if `strict` and an image is broken.
        ConnectionError: if a set is neither prepared nor can be downloaded.

    Example:
        >>> import kerascnn
        >>> train, info = kerascnn.data.load("digits", "train", batch_size=32)
        >>> info.image_shape, len(info.class_names), info.num_examples["train"], len(train)
        ((8, 8, 1), 10, 1257, 40)
    """
    source = find(name_or_folder, data_dir, strict)
    splits = SPLITS if split is None else (split,)
    pipelines = {
        name: source.pipeline(name, image_size, channels, batch_size, seed, augment)
        for name in splits
    }
    info = source.info(image_size, channels)
    return (pipelines if split is None else pipelines[split]), info
