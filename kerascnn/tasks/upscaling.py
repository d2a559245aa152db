"""Upscaling of images."""

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import keras
import numpy as np

from kerascnn import visualize
from kerascnn.arguments import UsageError, at_least_one, one_of
from kerascnn.data import EMBEDDED, downscale_bicubic, load_upscaling
from kerascnn.export import upscaling_serving
from kerascnn.inference import compare_with_bicubic, factor_of, upscale
from kerascnn.inference.upscaling import Upscaler
from kerascnn.metrics import psnr
from kerascnn.models import model_info
from kerascnn.storage.file_names import file_name
from kerascnn.tasks.image_prediction import ImagePrediction
from kerascnn.tasks.recipes import Recipes
from kerascnn.tasks.task import EXAMPLE_FILES, Evaluation, Table, Task
from kerascnn.training import Recipe

_PREVIEWED = 4
_METRICS = ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim")
_COMPARED = 3
_LOSSES = {
    "mean_squared_error": keras.losses.MeanSquaredError,
    "mean_absolute_error": keras.losses.MeanAbsoluteError,
}


@dataclass(frozen=True)
class UpscalingRecipe(Recipe):
    """A recipe with additional fields for upscaling.

    Args:
        loss: `"mean_squared_error"` or `"mean_absolute_error"`.
        patch_size: int, the size of low-resolution patches.
        patches: int, number of patches per epoch.
    """

    loss: str = "mean_squared_error"
    patch_size: int = 17
    patches: int = 16_000

    def __post_init__(self):
        super().__post_init__()
        one_of(self.loss, tuple(_LOSSES), "loss")
        at_least_one(self.patch_size, "patch_size")
        at_least_one(self.patches, "patches")


# Shi et al., 2016, section 3.2: mean squared error, patches of 17x17; Adam instead of gradient
# descent. Chosen on the validation split of `photos`.
_ESPCN = {"batch_size": 16, "learning_rate": 1e-3, "weight_decay": 0.0}
RECIPES = Recipes(
    {
        # A useful result within a minute on two cores.
        "quick": UpscalingRecipe(epochs=3, **_ESPCN),
        # A good result for a small model on one image, within five minutes.
        "standard": UpscalingRecipe(epochs=12, **_ESPCN),
    },
    changes={
        # Lim et al., 2017, section 4.2: mean absolute error, patches of 48x48, Adam from 1e-4
        "*": [
            (
                ("edsr*",),
                {"loss": "mean_absolute_error", "patch_size": 48, "learning_rate": 1e-4},
            )
        ]
    },
)


class UpscalingTask(Task):
    """Upscaling of images."""

    name = "upscaling"
    command = "upscale"
    recipes = RECIPES
    recipe_class = UpscalingRecipe
    embedded = EMBEDDED["upscaling"]
    default_model = ("espcn_x3", {})
    pretrained_model = None
    pretrained_option = None
    starts_from = ("upscaling",)
    score = ("psnr", 0.1)

    def recipe(self, request, start, data=None):
        name = request.recipe or "standard"
        return self.recipes.choose(name, start.model, {**request.changes, **start.changes})

    def load(self, request, start, recipe: UpscalingRecipe):
        factor = model_info(start.model).factor
        smallest = max(recipe.patch_size * factor, _smallest_to_measure(factor))
        data = load_upscaling(
            request.data,  # pyright: ignore[reportArgumentType]
            strict=request.strict,
            smallest=smallest,
            max_pixels=request.max_pixels,
        )
        if not data.num_examples["validation"]:
            raise UsageError(
                f"{data.name} must have at least two images of at least {smallest}x{smallest} "
                "pixels, so that one can be held out for validation; "
                f"got {data.num_examples['train']}."
            )
        return data

    def reload(self, record, name, data_dir, max_pixels=None):
        smallest = _smallest_to_measure(model_info(record.model.name).factor)
        if record.data.name in (name, str(Path(name).resolve())):  # pyright: ignore[reportArgumentType]
            # Images that were too small for training are in no split.
            smallest = record.data.smallest
        return load_upscaling(
            name,  # pyright: ignore[reportArgumentType]
            smallest=smallest,
            max_pixels=max_pixels,
            value_ranges=record.data.value_ranges,
        )

    def model(self, start, data, recipe):
        return start.build(None)

    def objective(self, data, recipe: UpscalingRecipe, model):
        return _LOSSES[recipe.loss](), psnr

    def pipeline(self, data, split, recipe: UpscalingRecipe, seed, model):
        return data.pipeline(
            split,
            factor=factor_of(model),
            channels=model.input_shape[-1],
            patch_size=recipe.patch_size,
            patches=recipe.patches,
            batch_size=recipe.batch_size,
            seed=seed,
        )

    def describe(self, data):
        return {"smallest": data.smallest, **super().describe(data)}

    def evaluate(self, model, data, splits, record):
        images = [image for split in splits for image in data.images[split]]
        rows = [
            {"name": image.name, **compare_with_bicubic(model, image.read()).metrics()}
            for image in images
        ]
        means = {metric: float(np.mean([row[metric] for row in rows])) for metric in _METRICS}
        numbers = {**means, "num_pictures": len(rows), "pictures": rows}
        return Evaluation(
            numbers=numbers,
            line=_line(numbers),
            table=_table(numbers),
            figures={"comparison": lambda title: _comparison(model, images, rows, title)},
        )

    def example_files(self, data, split, record):
        factor = model_info(record.model.name).factor
        for name, image, _ in islice(data.examples(split), EXAMPLE_FILES):
            yield str(Path(name).with_suffix("")), downscale_bicubic(image, factor)[0]  # pyright: ignore[reportArgumentType]

    def preview(self, data, start, recipe: UpscalingRecipe, seed, title):
        factor = model_info(start.model).factor
        pipeline = data.pipeline(
            "train",
            factor=factor,
            channels=3,
            patch_size=recipe.patch_size,
            patches=recipe.patches,
            batch_size=_PREVIEWED,
            seed=seed,
        )
        pairs = [np.round(images * 255).astype(np.uint8) for images in next(iter(pipeline))]
        return visualize.comparison(
            list(map(list, zip(*pairs, strict=True))),
            [[f"low resolution, 1:{factor}", "truth"]] * _PREVIEWED,
            ["patch"] * _PREVIEWED,
            title=title,
        )

    def files(self, place, record):
        factor = model_info(record.model.name).factor
        return {"upscaled": place.with_name(file_name(place.stem, f"_x{factor}.png"))}

    def predict(self, model, images, record):
        for image in images:
            yield ImagePrediction("upscaled", upscale(model, image))

    def network(self, exported):
        def upscaled(image):
            return exported(image[np.newaxis])["images"][0]

        return Upscaler(exported.metadata["factor"], upscaled)

    def calibration_images(self, data, record, count):
        factor = model_info(record.model.name).factor
        images = (image for _, image, _ in islice(data.examples("train"), count))
        return (downscale_bicubic(image, factor)[0] for image in images)  # pyright: ignore[reportArgumentType]

    def serving(self, model, record):
        return upscaling_serving(model)


def _smallest_to_measure(factor):
    """Returns the smallest size with a structural similarity: a window and borders."""
    return 11 + 3 * factor


def _comparison(model, images, rows, title):
    """Plots the outputs with the smallest gain over bicubic interpolation, smallest first."""
    gains = [row["psnr"] - row["bicubic_psnr"] for row in rows]
    chosen = np.argsort(gains)[:_COMPARED]
    drawn, labels = [], []
    for i in chosen:
        found, row = compare_with_bicubic(model, images[i].read()), rows[i]
        drawn.append([found.low, found.bicubic, found.upscaled, found.truth])
        labels.append(
            [
                f"low resolution, 1:{found.factor}\n",
                f"bicubic\n{row['bicubic_psnr']:.2f} dB, {row['bicubic_ssim']:.4f}",
                f"model\n{row['psnr']:.2f} dB, {row['ssim']:.4f}",
                "truth\n(PSNR, SSIM of the whole image)",
            ]
        )
    names = [images[i].name for i in chosen]
    return visualize.comparison(drawn, labels, names, title=f"{title}, smallest gain first")


def _line(numbers):
    count = numbers["num_pictures"]
    return (
        f"PSNR {numbers['psnr']:.2f} dB, SSIM {numbers['ssim']:.4f}; "
        f"bicubic {numbers['bicubic_psnr']:.2f} dB, {numbers['bicubic_ssim']:.4f} "
        f"({count:,} {'image' if count == 1 else 'images'})"
    )


def _table(numbers):
    rows = numbers["pictures"]
    shown = [*rows, {"name": "mean", **numbers}] if len(rows) > 1 else rows
    return Table(
        ("image", "PSNR", "SSIM", "bicubic PSNR", "bicubic SSIM", "gain in dB"),
        [
            (
                row["name"],
                f"{row['psnr']:.2f}",
                f"{row['ssim']:.4f}",
                f"{row['bicubic_psnr']:.2f}",
                f"{row['bicubic_ssim']:.4f}",
                f"{row['psnr'] - row['bicubic_psnr']:+.2f}",
            )
            for row in shown
        ],
    )
