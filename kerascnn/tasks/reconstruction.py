"""Reconstruction of images with an autoencoder."""

from itertools import chain, islice

import keras
import numpy as np

from kerascnn import visualize
from kerascnn.data import EMBEDDED, prepare
from kerascnn.export import reconstruction_serving
from kerascnn.metrics import psnr
from kerascnn.tasks import labelled_images
from kerascnn.tasks.exported_network import ExportedNetwork
from kerascnn.tasks.image_prediction import ImagePrediction
from kerascnn.tasks.recipes import Recipes
from kerascnn.tasks.task import Evaluation, Table, Task
from kerascnn.training import Recipe

_EXAMPLE_FILES = 16
_DRAWN = 12
_VERSIONS = 3

RECIPES = Recipes(
    {
        "quick": Recipe(epochs=4, batch_size=32, learning_rate=2e-3, weight_decay=0.0),
        "standard": Recipe(epochs=20, batch_size=32, learning_rate=2e-3, weight_decay=0.0),
    }
)


class ReconstructionTask(Task):
    """Reconstruction of images through a bottleneck."""

    name = "reconstruction"
    command = "reconstruct"
    recipes = RECIPES
    recipe_class = Recipe
    embedded = EMBEDDED["classification"]
    default_model = ("autoencoder", {})
    pretrained_model = None
    pretrained_option = None
    starts_from = ("reconstruction",)
    score = ("psnr", 0.1)

    def recipe(self, request, start, data=None):
        name = request.recipe or "standard"
        return self.recipes.choose(name, start.model, {**request.changes, **start.changes})

    def load(self, request, start, recipe):
        return labelled_images.load(request, start)

    def reload(self, record, name, data_dir, max_pixels=None):
        return labelled_images.reload(record, name, data_dir, max_pixels)

    def model(self, start, data, recipe):
        return start.build(data.image_shape)

    def objective(self, data, recipe, model):
        return keras.losses.MeanSquaredError(), psnr

    def pipeline(self, data, split, recipe, seed, model):
        images_and_labels = data.pipeline(
            split, batch_size=recipe.batch_size, seed=seed, augment=recipe.augmentation
        )
        return images_and_labels.map(lambda images, labels: (images, images))

    def describe(self, data):
        return {
            "version": data.version,
            "image_shape": data.image_shape,
            **super().describe(data),
        }

    def remarks(self, data):
        return [*super().remarks(data), *labelled_images.remarks(data)]

    def evaluate(self, model, data, splits, record):
        batch_size = record.training.batch_size
        batches = chain(*(data.pipeline(split, batch_size=batch_size) for split in splits))
        errors, worst = [], []
        for images, _ in batches:
            outputs = model.predict_on_batch(images.numpy())
            found = np.mean((outputs - images.numpy()) ** 2, axis=(1, 2, 3), dtype=np.float64)
            rows = zip(found, images.numpy(), outputs, strict=True)  # pyright: ignore[reportArgumentType]
            worst = sorted([*worst, *rows], key=lambda row: -row[0])[:_DRAWN]
            errors.extend(found.tolist())  # pyright: ignore[reportArgumentType]
        decibels = -10 * np.log10(np.maximum(errors, 1e-10))
        numbers = {
            "psnr": float(decibels.mean()),
            "worst_psnr": float(decibels.min()),
            "mean_squared_error": float(np.mean(errors)),
            "num_examples": len(errors),
        }
        line = f"PSNR {numbers['psnr']:.2f} dB, worst {numbers['worst_psnr']:.2f} dB"
        quantiles = np.quantile(decibels, (0.0, 0.25, 0.5, 0.75, 1.0))
        names = ("worst", "first quartile", "median", "third quartile", "best")
        return Evaluation(
            numbers=numbers,
            line=f"{line} ({len(errors):,} images)",
            table=Table(
                ("images", "PSNR"),
                [(name, f"{value:.2f}") for name, value in zip(names, quantiles, strict=True)],
            ),
            figures={
                "reconstructions": lambda title: visualize.reconstructions(
                    *zip(*((image, output) for _, image, output in worst), strict=True),
                    f"{title}, the worst first",  # pyright: ignore[reportCallIssue]
                )
            },
        )

    def example_files(self, data, split, record):
        images = (image for batch, _ in data.pipeline(split) for image in batch.numpy())
        for number, image in enumerate(islice(images, _EXAMPLE_FILES)):
            yield f"{number:05d}", np.round(image * 255).astype(np.uint8)

    def preview(self, data, start, recipe, seed, title):
        return labelled_images.preview(data, recipe, seed, title, _VERSIONS)

    def mismatch(self, model, record):
        return labelled_images.mismatch(model, record)

    def channels(self, model):
        return model.input_shape[-1]

    def files(self, place, record):
        return {"reconstructed": place.with_suffix(".png")}

    def predict(self, model, images, record):
        height, width, _ = record.data.image_shape
        for image in images:
            if isinstance(model, ExportedNetwork):
                output = model.predict_image(image)
            else:
                pixels = np.asarray(prepare(image, (height, width)))
                output = model.predict_on_batch(pixels[np.newaxis])[0]
            yield ImagePrediction("reconstructed", np.round(output * 255).astype(np.uint8))

    def network(self, exported):
        shape = (None, *exported.metadata["image_shape"])
        return ExportedNetwork(exported, lambda found: found["images"] / np.float32(255), shape)

    def calibration_images(self, data, record, count):
        return labelled_images.training_images(data, record, count)

    def serving(self, model, record):
        return reconstruction_serving(model)
