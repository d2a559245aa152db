"""Datasets of TensorFlow Datasets."""

import difflib
import sys

import requests
import tensorflow_datasets as tfds

from kerascnn.arguments import UsageError
from kerascnn.data.classification import ClassificationData
from kerascnn.data.segmentation import SegmentationData, ignored_among

_SECONDS_TO_ANSWER = 5

# The classes of masks, which the metadata lack: `{dataset: (names, ignored)}`.
_MASK_CLASSES = {
    # Parkhi et al., 2012: trimaps, whose values start at 1
    "oxford_iiit_pet": (("none", "pet", "background", "border"), ("none",)),
}


def classification_dataset(name, data_dir=None):
    """Finds a dataset by name; downloads and prepares it if it is not prepared yet.

    Missing splits are held out from the end of the training split, a tenth each.

    Raises:
        UsageError: if there is no such dataset, or it has no images with labels.
        ConnectionError: if the dataset must be downloaded and cannot be.
    """
    builder = _builder(name, data_dir)
    image, label = _features(builder)
    if not builder.is_prepared():
        _download(builder)
    splits = _splits(builder.info.splits)
    decode_image = builder.info.features[image].decode_example

    def decode(example):
        return decode_image(example[image]), example[label]

    return ClassificationData(
        name=name,
        class_names=tuple(builder.info.features[label].names),
        stored_shape=tuple(builder.info.features[image].shape),
        version=str(builder.version),
        elements=_elements(builder, splits, (image,)),
        decode=decode,
        num_examples=_num_examples(builder, splits),
        stored_label=lambda example: example[label],
    )


def segmentation_dataset(name, data_dir=None, ignore=None):
    """Finds a dataset of images with masks by name, as `classification_dataset` does.

    Raises:
        UsageError: if there is no such dataset, or the classes of its masks are unknown.
        ConnectionError: if the dataset must be downloaded and cannot be.
    """
    builder = _builder(name, data_dir)
    if builder.name not in _MASK_CLASSES:
        raise UsageError(
            "The data must be a folder with images, masks and classes.txt, or one of the datasets "
            f"{', '.join(_MASK_CLASSES)} of TensorFlow Datasets; got {name!r}."
        )
    if not builder.is_prepared():
        _download(builder)
    class_names, unused = _MASK_CLASSES[builder.name]
    splits = _splits(builder.info.splits)
    image, mask = "image", "segmentation_mask"
    features = builder.info.features

    def decode(example):
        values = features[mask].decode_example(example[mask])[..., 0]
        return features[image].decode_example(example[image]), values

    return SegmentationData(
        name=name,
        class_names=class_names,
        ignored=tuple(dict.fromkeys((*unused, *ignored_among(class_names, ignore)))),
        stored_shape=tuple(features[image].shape),
        version=str(builder.version),
        elements=_elements(builder, splits, (image, mask)),
        decode=decode,
        num_examples=_num_examples(builder, splits),
    )


def _elements(builder, splits, undecoded):
    """Returns the examples of each split as stored, in stored order."""
    read_config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
    skip = {feature: tfds.decode.SkipDecoding() for feature in undecoded}
    return {
        split: builder.as_dataset(
            split=part, shuffle_files=False, read_config=read_config, decoders=skip
        )
        for split, part in splits.items()
    }


def _num_examples(builder, splits):
    return {split: builder.info.splits[part].num_examples for split, part in splits.items()}


def _builder(name, data_dir):
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        if "/" in name:
            raise FileNotFoundError(f"There is no folder {name}.") from error
        close = difflib.get_close_matches(name, tfds.list_builders(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise UsageError(
            f"{name!r} is not an embedded dataset, a folder or a dataset of TensorFlow Datasets."
            f"{hint}"
        ) from error


def _features(builder):
    """Returns the feature names of the image and its class."""
    features = builder.info.features

    def named(kind):
        return [key for key, feature in features.items() if type(feature) is kind]

    images, labels = named(tfds.features.Image), named(tfds.features.ClassLabel)
    supervised = builder.info.supervised_keys or ()
    image = next((key for key in supervised if key in images), *images[:1] or [None])
    label = next((key for key in supervised if key in labels), *labels[:1] or [None])
    if image is None or label is None:
        raise UsageError(
            f"The dataset {builder.name!r} must have an image and a class label; "
            f"got the features {', '.join(sorted(features))}."
        )
    return image, label


def _splits(found):
    """Returns the slice in TensorFlow Datasets' notation for each split."""
    train = "train" if "train" in found else next(iter(found))
    validation = next((name for name in ("validation", "valid", "val") if name in found), None)
    test = "test" if "test" in found else None
    # No example is used twice: some datasets have only a test split.
    validation = None if validation == train else validation
    test = None if test == train else test
    if validation is None and test is None:
        return {
            "train": f"{train}[:80%]",
            "validation": f"{train}[80%:90%]",
            "test": f"{train}[90%:]",
        }
    if validation is None:
        return {"train": f"{train}[:90%]", "validation": f"{train}[90%:]", "test": test}
    if test is None:
        return {"train": f"{train}[:90%]", "validation": f"{train}[90%:]", "test": validation}
    return {"train": train, "validation": validation, "test": test}


def _download(builder):
    """Downloads and prepares a dataset, after a short request that checks the connection.

    TensorFlow Datasets itself retries for minutes before it gives up.
    """
    what_to_do = (
        f"The dataset {builder.name!r} is not prepared in {builder.data_path}: connect to the "
        "network to download it, or set `data_dir` to a folder in which it is prepared"
    )
    for url in list(builder.url_infos or ())[:1]:
        try:
            requests.head(url, timeout=_SECONDS_TO_ANSWER, allow_redirects=False)
        except requests.RequestException as error:
            host = url.split("/")[2]
            raise ConnectionError(f"{what_to_do} ({host} does not respond).") from error
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        builder.download_and_prepare()
    except requests.RequestException as error:
        raise ConnectionError(f"{what_to_do} ({_first_line(error)}).") from error
    except OSError:  # a full disk, or a folder without write permission
        raise
    except Exception as error:
        raise RuntimeError(
            f"The dataset {builder.name!r} could not be prepared in {builder.data_path} "
            f"({_first_line(error)})."
        ) from error


def _first_line(error):
    return str(error).strip().partition("\n")[0]
