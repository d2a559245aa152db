"""Classification: one class for every image."""

import re
from dataclasses import dataclass, fields
from itertools import chain, islice

import keras
import numpy as np

from kerascnn import models, visualize
from kerascnn.arguments import UsageError
from kerascnn.data import EMBEDDED, prepare
from kerascnn.export import classification_serving
from kerascnn.inference import classify
from kerascnn.losses import inverse_frequency_weights, loss_for
from kerascnn.metrics import accuracy
from kerascnn.tasks import labelled_images
from kerascnn.tasks.classification_recipes import (
    CHARACTERS,
    RECIPES,
    SMALL,
    ClassificationRecipe,
)
from kerascnn.tasks.exported_network import ExportedNetwork, log_probabilities
from kerascnn.tasks.task import Evaluation, Table, Task
from kerascnn.training import SelfOrganization
from kerascnn.training.learning import SelfOrganizing

_EXAMPLES_ON_PAGE = 48
_EXAMPLE_FILES = 16
_VERSIONS = 5
_BATCH = 256
# With more classes than this, only the worst are listed.
_LISTED, _WORST = 50, 20
# With more classes than this, the summary line has only the worst recalls.
_RECALLS = 3


class ClassificationTask(Task):
    """One class for every image."""

    name = "classification"
    command = "classify"
    recipes = RECIPES
    recipe_class = ClassificationRecipe
    embedded = EMBEDDED["classification"]
    default_model = ("lenet5", {})
    pretrained_model = "mobilenet_v2"
    pretrained_option = "weights"
    starts_from = ("classification",)
    score = ("accuracy", 0.01)

    def recipe(self, request, start, data=None):
        if _learns_by_itself(start):
            _check_effective(request.changes, start.model)
        name = request.recipe
        if name is None:
            small = data is None or data.num_examples["train"] < SMALL
            name = "finetune" if start.weights else "small" if small else "standard"
        gray = data is not None and data.stored_shape[2] == 1 and not _learns_by_itself(start)
        found = {"augmentation": CHARACTERS} if gray else {}
        return self.recipes.choose(name, start.model, {**request.changes, **start.changes}, **found)

    def learning(self, start):
        if not _learns_by_itself(start):
            return super().learning(start)
        if start.weights is not None:
            raise UsageError(
                f"{start.model!r} cannot start from other weights; got weights={start.weights!r}: "
                "leave out `weights`."
            )
        options = {**models.model_info(start.model).options, **start.options}
        names = [setting.name for setting in fields(SelfOrganization)]
        return SelfOrganizing(SelfOrganization(**{name: options[name] for name in names}))

    def load(self, request, start, recipe: ClassificationRecipe):
        return labelled_images.load(request, start)

    def reload(self, record, name, data_dir, max_pixels=None):
        return labelled_images.reload(record, name, data_dir, max_pixels)

    def model(self, start, data, recipe):
        return start.build(data.image_shape, len(data.class_names))

    def objective(self, data, recipe: ClassificationRecipe, model):
        weights = None
        if recipe.class_weights:
            counts = np.bincount(data.labels("train"), minlength=len(data.class_names))
            weights = inverse_frequency_weights(counts).tolist()
        return loss_for(model, recipe.label_smoothing, weights), accuracy

    def pipeline(self, data, split, recipe: ClassificationRecipe, seed, model):
        if recipe.balance and split == "train":
            data = data.balanced()
        return data.pipeline(
            split, batch_size=recipe.batch_size, seed=seed, augment=recipe.augmentation
        )

    def describe(self, data):
        return {
            "version": data.version,
            "class_names": data.class_names,
            "image_shape": data.image_shape,
            **super().describe(data),
        }

    def remarks(self, data):
        return [*super().remarks(data), *labelled_images.remarks(data)]

    def evaluate(self, model, data, splits, record):
        names = data.class_names
        batch_size = record.training.batch_size
        pipelines = [data.pipeline(split, batch_size=batch_size) for split in splits]
        found = classify(model, chain(*pipelines))
        per_class, calibration = found.per_class(names), found.calibration()
        numbers = {**found.metrics(), "per_class": per_class}
        matrix = found.confusion_matrix()
        figures = {
            "confusion_matrix": lambda title: visualize.confusion_matrix(matrix, names),
            "calibration": lambda title: visualize.calibration(
                calibration, found.expected_calibration_error()
            ),
            "per_class": lambda title: visualize.per_class(per_class),
        }
        if "train" not in splits:  # the training split is shuffled

            def examples(title):
                worst = found.worst_first()[:_EXAMPLES_ON_PAGE]
                images = _images(chain(*pipelines), worst)
                return visualize.examples(
                    [images[index] for index in worst],
                    found.labels[worst],
                    found.predicted[worst],
                    found.confidences[worst],
                    names,
                    title=f"{title}, worst mistakes first",
                )

            figures["examples"] = examples
        return Evaluation(
            numbers=numbers,
            line=_line(numbers),
            table=_table(per_class),
            details={"calibration": calibration, "confusion_matrix": matrix.tolist()},
            figures=figures,
        )

    def example_files(self, data, split, record):
        pipeline = data.pipeline(split, batch_size=record.training.batch_size)
        labels = np.concatenate([labels for _, labels in pipeline])
        first = [int(np.argmax(labels == label)) for label in np.unique(labels)[:_EXAMPLE_FILES]]
        for index, image in sorted(_images(pipeline, first).items()):
            class_name = re.sub(r"[^\w-]+", "_", data.class_names[labels[index]])
            yield f"{index:05d}_{class_name}", np.round(image * 255).astype(np.uint8)

    def preview(self, data, start, recipe: ClassificationRecipe, seed, title):
        return labelled_images.preview(data, recipe, seed, title, _VERSIONS)

    def mismatch(self, model, record):
        return labelled_images.mismatch(model, record) or labelled_images.class_mismatch(
            model, record.data.class_names
        )

    def channels(self, model):
        return model.input_shape[-1]

    def predict(self, model, images, record):
        names, (height, width, _) = record.data.class_names, record.data.image_shape
        if isinstance(model, ExportedNetwork):
            for image in images:
                logits = model.predict_image(image)
                yield ClassPrediction(names, keras.ops.convert_to_numpy(keras.ops.softmax(logits)))  # pyright: ignore[reportArgumentType]
            return
        prepared = (np.asarray(prepare(image, (height, width))) for image in images)
        while batch := list(islice(prepared, _BATCH)):
            logits = model.predict_on_batch(np.stack(batch))
            for row in keras.ops.convert_to_numpy(keras.ops.softmax(logits)):  # pyright: ignore[reportGeneralTypeIssues, reportOptionalIterable]
                yield ClassPrediction(names, row)

    def network(self, exported):
        shape = (None, *exported.metadata["image_shape"])
        return ExportedNetwork(exported, log_probabilities, shape)

    def calibration_images(self, data, record, count):
        return labelled_images.training_images(data, record, count)

    def serving(self, model, record):
        return classification_serving(model, record.data.class_names)


@dataclass(frozen=True)
class ClassPrediction:
    """The class of an image.

    Args:
        class_names: names of the classes.
        probabilities: float array of shape `(classes,)`.
    """

    class_names: tuple[str, ...]
    probabilities: np.ndarray

    def save(self, paths):
        """Writes nothing; a predicted class needs no file."""

    def json(self):
        best = int(self.probabilities.argmax())
        return {
            "class_id": best,
            "class_name": self.class_names[best],
            "probability": float(self.probabilities[best]),
            "probabilities": dict(
                zip(self.class_names, map(float, self.probabilities), strict=True)
            ),
        }

    def line(self):
        found = self.json()
        return f"{found['class_name']}  {found['probability']:.2%}"


# Fields of a recipe that only gradient descent uses
_OF_GRADIENTS = ("learning_rate", "patience", "stop_at", "class_weights")


def _check_effective(changes, model):
    """Raises an error for settings that have no effect on a model that learns by itself."""
    augmentation = changes.get("augmentation") or {}
    ignored = [name for name in _OF_GRADIENTS if changes.get(name)]
    ignored += ["augmentation.mixup"] if augmentation.get("mixup") else []
    if ignored:
        raise UsageError(
            f"{model!r} learns without gradients, from images of one class; got "
            f"{', '.join(f'`{name}`' for name in ignored)}: leave that out."
        )


def _learns_by_itself(start):
    """Returns whether a model is trained with `kerascnn.training.self_organize`."""
    names = {setting.name for setting in fields(SelfOrganization)}
    return start.model in models.list_models() and names <= set(
        models.model_info(start.model).options
    )


def _images(pipeline, wanted):
    """Returns images of a pipeline as `{index: image}`."""
    found, offset, wanted = {}, 0, set(map(int, wanted))
    for images, _ in pipeline:
        found |= {i: images[i - offset].numpy() for i in wanted if 0 <= i - offset < len(images)}
        offset += len(images)
    return found


def _line(numbers):
    top5 = f"top-5 {numbers['top5_accuracy']:.2%}, " if "top5_accuracy" in numbers else ""
    return (
        f"accuracy {numbers['accuracy']:.2%}, balanced {numbers['balanced_accuracy']:.2%} "
        f"({_recalls(numbers['per_class'])}), {top5}cross-entropy {numbers['loss']:.4f}, "
        f"calibration error {numbers['expected_calibration_error']:.2%} "
        f"({numbers['num_examples']:,} images)"
    )


def _recalls(rows):
    """Returns the recall of each class, or of the worst ones."""
    measured = [row for row in rows if row["support"]]
    shown, start = measured, "recall"
    if len(measured) > _RECALLS:
        shown = sorted(measured, key=lambda row: row["recall"])[:_RECALLS]
        start = "worst recall"
    text = ", ".join(f"{row['class_name']} {row['recall']:.0%}" for row in shown)
    without = len(rows) - len(measured)
    return f"{start} {text}" + (f"; {without} without examples" if without else "")


def _table(rows):
    note = ""
    if len(rows) > _LISTED:
        measured = [row for row in rows if row["support"]]
        shown = sorted(measured, key=lambda row: row["f1"])[:_WORST]
        note = f"the worst {len(shown)} of {len(rows):,} classes by F1 (--json lists all):"
        rows = shown
    return Table(
        ("class", "precision", "recall", "F1", "images"),
        [
            (
                row["class_name"],
                *(f"{row[metric]:.3f}" for metric in ("precision", "recall", "f1")),
                f"{row['support']:,}",
            )
            for row in rows
        ],
        note,
    )
