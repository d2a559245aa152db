"""Classification sets of TensorFlow Datasets."""

import difflib
import sys

import requests
import tensorflow_datasets as tfds

from kerascnn.data.source import Source

_SECONDS_TO_ANSWER = 5


def tensorflow_dataset(name, data_dir=None):
    """Finds a set by name; downloads and prepares it where it is not prepared yet.

    Splits that the set lacks are cut from the end of its training split, a tenth each.

    Raises:
        ValueError: if there is no such set, or it is not for classifying images.
        ConnectionError: if the set must be downloaded and cannot be.
    """
    builder = _builder(name, data_dir)
    image, label = _features(builder)
    if not builder.is_prepared():
        _download(builder)
    splits = _splits(builder.info.splits)
    read_config = tfds.ReadConfig(try_autocache=False, interleave_cycle_length=1)
    skip = {image: tfds.decode.SkipDecoding()}
    decode_image = builder.info.features[image].decode_example

    def decode(example):
        return decode_image(example[image]), example[label]

    return Source(
        name=name,
        class_names=tuple(builder.info.features[label].names),
        image_shape=tuple(builder.info.features[image].shape),
        version=str(builder.version),
        elements={
            split: builder.as_dataset(
                split=part, shuffle_files=False, read_config=read_config, decoders=skip
            )
            for split, part in splits.items()
        },
        decode=decode,
        num_examples={
            split: builder.info.splits[part].num_examples for split, part in splits.items()
        },
    )


def _builder(name, data_dir):
    try:
        return tfds.builder(name, data_dir=data_dir)
    except tfds.core.DatasetNotFoundError as error:
        if "/" in name:
            raise FileNotFoundError(f"There is no folder {name}.") from error
        close = difflib.get_close_matches(name, tfds.list_builders(), n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"{name!r} is no embedded set, no folder and no set of TensorFlow Datasets.{hint}"
        ) from error


def _features(builder):
    """Names of the features that hold the image and its class."""
    features = builder.info.features

    def named(kind):
        return [key for key, feature in features.items() if type(feature) is kind]

    images, labels = named(tfds.features.Image), named(tfds.features.ClassLabel)
    supervised = builder.info.supervised_keys or ()
    image = next((key for key in supervised if key in images), *images[:1] or [None])
    label = next((key for key in supervised if key in labels), *labels[:1] or [None])
    if image is None or label is None:
        raise ValueError(
            f"The set {builder.name!r} must have an image and a class label to be classified; "
            f"got the features {', '.join(sorted(features))}."
        )
    return image, label


def _splits(found):
    """Which part of the set, in TensorFlow Datasets' words, serves as which split."""
    train = "train" if "train" in found else next(iter(found))
    validation = next((name for name in ("validation", "valid", "val") if name in found), None)
    test = "test" if "test" in found else None
    # What is trained on may not serve again: some sets have nothing but a test split.
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
    """Downloads and prepares a set, after a short look whether that can succeed at all.

    TensorFlow Datasets itself retries for minutes before it gives up.
    """
    what_to_do = (
        f"The set {builder.name!r} is not prepared in {builder.data_path}: connect to the network "
        "to download it, or name with `data_dir` a folder in which it is prepared"
    )
    for url in list(builder.url_infos or ())[:1]:
        try:
            requests.head(url, timeout=_SECONDS_TO_ANSWER, allow_redirects=False)
        except requests.RequestException as error:
            host = url.split("/")[2]
            raise ConnectionError(f"{what_to_do} ({host} does not answer).") from error
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()
    try:
        builder.download_and_prepare()
    except requests.RequestException as error:
        raise ConnectionError(f"{what_to_do} ({_first_line(error)}).") from error
    except OSError:  # a full disk, a folder that cannot be written
        raise
    except Exception as error:
        raise RuntimeError(
            f"The set {builder.name!r} could not be prepared in {builder.data_path} "
            f"({_first_line(error)})."
        ) from error


def _first_line(error):
    return str(error).strip().partition("\n")[0]
