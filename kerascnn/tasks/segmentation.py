"""Segmentation: a class for every pixel."""

import heapq
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np
from PIL import Image

from kerascnn import visualize
from kerascnn.data import EMBEDDED, load_segmentation
from kerascnn.data.joint_augmentation import random_view
from kerascnn.data.pixels import rescale, scale
from kerascnn.export import segmentation_serving
from kerascnn.inference import TILE, SegmentationScores, image_iou, segment
from kerascnn.losses import dense_loss, median_frequency_weights
from kerascnn.metrics import MeanIoU
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.printable import printable
from kerascnn.tasks import labelled_images
from kerascnn.tasks.exported_network import ExportedNetwork, log_probabilities
from kerascnn.tasks.segmentation_recipes import RECIPES, SegmentationRecipe, cropped
from kerascnn.tasks.task import Evaluation, Table, Task

_DRAWN = 8
_PREVIEWED, _VERSIONS = 5, 4
_BAND = 256


class SegmentationTask(Task):
    """A class for every pixel."""

    name = "segmentation"
    command = "segment"
    recipes = RECIPES
    recipe_class = SegmentationRecipe
    embedded = EMBEDDED["segmentation"]
    default_model = ("unet", {"width": 16})  # small enough to train on two cores
    pretrained_model = "unet_resnet50"
    pretrained_option = "encoder_weights"
    starts_from = ("segmentation", "classification")
    score = ("mean_iou", 0.01)

    def recipe(self, request, start, data=None):
        name = request.recipe
        if name is None:
            small = request.data in self.embedded
            name = "finetune" if start.weights else "quick" if small else "standard"
        recipe = self.recipes.choose(name, start.model, {**request.changes, **start.changes})
        return recipe if data is None else cropped(recipe, data.image_shape[:2])

    def load(self, request, start, recipe: SegmentationRecipe):
        return load_segmentation(
            request.data,  # pyright: ignore[reportArgumentType]
            data_dir=request.data_dir,
            ignore=request.ignore,
            strict=request.strict,
            mask_values=request.mask_values,
            mask_colors=request.mask_colors,
            max_pixels=request.max_pixels,
        )

    def reload(self, record, name, data_dir, max_pixels=None):
        return load_segmentation(
            name,  # pyright: ignore[reportArgumentType]
            data_dir=data_dir,
            ignore=record.data.ignored,
            for_training=False,
            mask_values=record.data.mask_values,
            mask_colors=record.data.mask_colors,
            max_pixels=max_pixels,
            value_ranges=record.data.value_ranges,
        )

    def model(self, start, data, recipe):
        channels = start.channels or data.channels
        return start.build((None, None, channels), len(data.scored_classes))

    def objective(self, data, recipe: SegmentationRecipe, model):
        weights = None
        if recipe.class_weights:
            weights = median_frequency_weights(*data.pixel_counts("train")).tolist()
        loss = dense_loss(recipe.loss, weights, recipe.label_smoothing)
        return loss, MeanIoU(len(data.scored_classes))

    def pipeline(self, data, split, recipe: SegmentationRecipe, seed, model):
        return data.pipeline(
            split,
            factor=recipe.factor,
            crop_size=recipe.crop_size,
            channels=model.input_shape[-1],
            batch_size=recipe.batch_size,
            seed=seed,
            augment=recipe.augmentation,
        )

    def describe(self, data):
        return {
            "version": data.version,
            "class_names": data.class_names,
            "ignored": data.ignored,
            "image_shape": data.image_shape,
            **super().describe(data),
        }

    def evaluate(self, model, data, splits, record):
        classes = data.scored_classes
        scores = SegmentationScores(classes)
        worst = []  # a min-heap, whose first element is the best of the worst
        examples = chain(*(data.examples(split, model.input_shape[-1]) for split in splits))
        for number, (name, image, truth) in enumerate(examples):
            bands = segment(model, image, record.training.factor)
            predicted = np.concatenate([band.argmax(axis=-1) for band in bands]).astype(np.uint8)
            scores.add(truth, predicted)
            iou = image_iou(truth, predicted, len(classes))
            row = {"image": image, "truth": truth, "predicted": predicted, "iou": iou, "name": name}
            push = heapq.heappush if len(worst) < _DRAWN else heapq.heappushpop
            push(worst, (-iou, number, row))
        rows = [row for _, _, row in sorted(worst, reverse=True)]
        per_class, matrix = scores.per_class(), scores.confusion_matrix
        numbers = {**scores.metrics(), "per_class": per_class}
        return Evaluation(
            numbers=numbers,
            line=_line(numbers),
            table=_table(per_class),
            details={"confusion_matrix": matrix.tolist()},
            figures={
                "per_class": lambda title: visualize.per_class(per_class, "iou"),
                "confusion_matrix": lambda title: visualize.confusion_matrix(matrix, classes),
                "overlays": lambda title: visualize.overlays(
                    rows, classes, f"{title}, the worst first"
                ),
            },
        )

    def preview(self, data, start, recipe: SegmentationRecipe, seed, title):
        colors = visualize.palette(len(data.scored_classes))
        rows = list(islice(data.examples("train", 3), _PREVIEWED))
        names, images, masks = zip(*rows, strict=True)

        def drawn(image, mask):
            return visualize.blend(image, mask, colors) / np.float32(255)

        versions = []
        for version in range(_VERSIONS):
            views = []
            for number, (image, mask) in enumerate(zip(images, masks, strict=True)):
                pixels = scale(rescale(image, recipe.factor))
                size = pixels.shape[:2]
                small = np.asarray(
                    Image.fromarray(mask).resize(size[::-1], Image.Resampling.NEAREST)
                )
                view = random_view(recipe.augmentation, recipe.crop_size or size)
                image, mask = view(pixels, np.asarray(small), (seed + version, number))
                views.append(drawn(np.round(image * 255).astype(np.uint8), np.asarray(mask)))
            versions.append((views, range(len(rows))))
        first = [drawn(image, mask) for image, mask in zip(images, masks, strict=True)]
        return visualize.augmentation(first, range(len(rows)), versions, names, title)

    def mismatch(self, model, record):
        names = [name for name in record.data.class_names if name not in record.data.ignored]
        return super().mismatch(model, record) or labelled_images.class_mismatch(model, names)

    def channels(self, model):
        return model.input_shape[-1]

    def files(self, place, record, probabilities=False, tile=None):
        found = {
            "mask": Path("masks", place.with_suffix(".png")),
            "overlay": Path("overlays", place.with_suffix(".png")),
        }
        if probabilities:
            found["probabilities"] = Path("probabilities", place.with_suffix(".npy"))
        return found

    def predict(self, model, images, record, probabilities=False, tile=None):
        classes = [name for name in record.data.class_names if name not in record.data.ignored]
        for image in images:
            bands = segment(model, image, record.training.factor, TILE if tile is None else tile)
            yield MaskPrediction(classes, mask_values(record), image, bands)

    def network(self, exported):
        # Exported models resize images themselves: their record has a factor of 1.
        shape = (None, None, None, exported.metadata["channels"])
        return ExportedNetwork(exported, log_probabilities, shape)

    def calibration_images(self, data, record, count):
        return (image for _, image, _ in islice(data.examples("train", 3), count))

    def serving(self, model, record):
        return segmentation_serving(
            model, mask_values(record), record.training.factor, record.data.class_names
        )


def mask_values(record):
    """Returns the mask value of each scored class, as a uint8 array."""
    names, ignored = record.data.class_names, record.data.ignored
    return np.array([i for i, name in enumerate(names) if name not in ignored], np.uint8)


@dataclass
class MaskPrediction:
    """A predicted mask.

    Args:
        class_names: names of the scored classes.
        values: uint8 array, the mask value of each class.
        image: uint8 array of shape `(height, width, channels)`.
        bands: iterator of bands of rows of probabilities, as `segment` returns.
    """

    class_names: list[str]
    values: np.ndarray
    image: np.ndarray
    bands: object
    saved: dict = field(default_factory=dict)
    labels: np.ndarray | None = None

    def save(self, paths):
        self.labels = _labels(
            self.bands, self.image, len(self.class_names), paths.get("probabilities")
        )
        colors = visualize.palette(len(self.class_names))
        _save_image(self.values[self.labels], paths["mask"])
        _save_image(_blended(self.image, self.labels, colors), paths["overlay"])
        self.saved = {kind: printable(path) for kind, path in paths.items()}

    def json(self):
        counts = np.bincount(self.labels.ravel(), minlength=len(self.class_names))
        shares = (counts / self.labels.size).tolist()
        return {**self.saved, "shares": dict(zip(self.class_names, shares, strict=True))}

    def line(self):
        shares = sorted(self.json()["shares"].items(), key=lambda item: -item[1])
        text = ", ".join(f"{name} {share:.0%}" for name, share in shares[:3])
        return f"{text}  {self.saved['overlay']}"


def _labels(bands, image, classes, array):
    """Returns the most likely classes, and writes the probabilities to a file, band by band."""
    if array is None:
        return np.concatenate([band.argmax(axis=-1).astype(np.uint8) for band in bands])
    labels = np.zeros(image.shape[:2], np.uint8)
    with atomic_write(array) as temporary:
        written = np.lib.format.open_memmap(
            temporary, "w+", np.float32, (*image.shape[:2], classes)
        )
        top = 0
        for band in bands:
            rows = slice(top, top + len(band))
            written[rows], labels[rows] = band, band.argmax(axis=-1)
            top += len(band)
        written.flush()
    return labels


def _blended(image, labels, colors):
    """Returns the overlay, computed in bands because it needs much memory."""
    bands = [slice(top, top + _BAND) for top in range(0, len(image), _BAND)]
    return np.concatenate([visualize.blend(image[band], labels[band], colors) for band in bands])


def _save_image(image, path):
    with atomic_write(path) as temporary:
        Image.fromarray(image).save(temporary)


def _line(numbers):
    return (
        f"mean IoU {_percent(numbers['mean_iou'])}, class average "
        f"{_percent(numbers['class_average_accuracy'])}, global accuracy "
        f"{_percent(numbers['global_accuracy'])}, boundary F1 {_percent(numbers['boundary_f1'])} "
        f"({numbers['num_images']:,} images)"
    )


def _table(rows):
    return Table(
        ("class", "IoU", "accuracy", "boundary F1", "pixels"),
        [
            (
                row["class_name"],
                *(_percent(row[metric]) for metric in ("iou", "accuracy", "boundary_f1")),
                f"{row['pixels']:,}",
            )
            for row in rows
        ],
    )


def _percent(score):
    return "-" if score is None else f"{score:.2%}"
