"""The base class of tasks: everything that differs between them."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Protocol

import keras
import numpy as np
from matplotlib.figure import Figure

from kerascnn.arguments import UsageError
from kerascnn.tasks.recipes import Recipes
from kerascnn.tasks.start import Start
from kerascnn.training import Recipe
from kerascnn.training.learning import GradientDescent

# Number of images that a run saves to try `predict` on
EXAMPLE_FILES = 6


@dataclass(frozen=True)
class Request:
    """Training options; `None` lets the task, the data and the model decide.

    Args:
        data: str, the name of a dataset or a folder; by default the embedded dataset.
        data_dir: folder of TensorFlow Datasets.
        model: str, the name of a model.
        options: arguments of the model's builder.
        weights: str, `"imagenet"` or the folder of another run, to start from.
        recipe: str, the name of one of the task's recipes.
        changes: fields of the recipe to replace; `None` changes nothing. `augmentation` is a dict
            of `kerascnn.data.Augmentation` fields.
        image_size: int, the size to resize images to, for tasks that resize images.
        ignore: names of classes that are not scored, for segmentation.
        seed: int in [0, 2**32).
        strict: bool, whether a damaged file is an error; otherwise it is skipped with a warning.
        mask_values: the mask values of the classes, as in `load_segmentation`.
        mask_colors: the mask colors of the classes, as in `load_segmentation`.
        max_pixels: int, largest number of pixels of an image.

    Raises:
        ValueError: if `seed` is out of range, or `ignore` is not a list.
    """

    data: str | None = None
    data_dir: str | Path | None = None
    model: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    recipe: str | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    image_size: int | None = None
    ignore: Sequence[str] | None = None
    seed: int = 0
    strict: bool = False
    mask_values: Any = None
    mask_colors: Any = None
    max_pixels: int | None = None

    def __post_init__(self):
        if not 0 <= self.seed < 2**32:
            raise UsageError(f"`seed` must be an int in [0, 2**32); got seed={self.seed}.")
        if self.data is not None:
            object.__setattr__(self, "data", os.path.expanduser(self.data))
        if self.data_dir is not None:
            object.__setattr__(self, "data_dir", Path(self.data_dir).expanduser())
        if isinstance(self.ignore, str):
            raise UsageError(f"`ignore` must be a list of names; got ignore={self.ignore!r}.")


@dataclass(frozen=True)
class Table:
    """A table to print on a terminal.

    Args:
        headings: the first is the heading of the names.
        rows: tuples of str.
        note: str, a sentence above the table.
    """

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    note: str = ""


@dataclass(frozen=True)
class Evaluation:
    """The results of a model on splits of a dataset.

    Args:
        numbers: dict for `metrics.json`.
        line: str, the most important numbers.
        table: `Table` with details, such as the results of each class.
        details: further numbers for JSON, too many for `metrics.json`.
        figures: `{file name: function of a title that draws a figure}`.
    """

    numbers: Mapping[str, Any]
    line: str
    table: Table
    details: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[str, Callable[[str], Figure]] = field(default_factory=dict)


class Prediction(Protocol):
    """The output of a model for one image."""

    def save(self, paths: Mapping[str, Path]) -> None:
        """Writes the files of `Task.files`, if any; called at most once."""
        ...

    def json(self) -> dict[str, Any]:
        """Returns the results that are not in files; called after `save`."""
        ...

    def line(self) -> str:
        """Returns the results as a line for the terminal."""
        ...


class Task(ABC):
    """The base class of tasks; `kerascnn.tasks.register` adds a task to the registry.

    Attributes:
        name: str, the task in `kerascnn.models.list_models(task=...)`.
        command: str, its command, such as `"classify"`.
        recipes: `Recipes`.
        recipe_class: the dataclass of its recipes.
        embedded: names of the embedded datasets; the first is the default.
        default_model: `(name, options)` of the default model.
        pretrained_model: name of the default model with ImageNet weights, or `None`.
        pretrained_option: the argument of `create_model` that takes `"imagenet"`, or `None`.
        starts_from: names of the tasks whose runs can provide initial weights.
        score: name of the number in an evaluation by which models are compared (larger is better),
            and the loss in it that matters; `None` if there is none.
    """

    name: ClassVar[str]
    command: ClassVar[str]
    recipes: ClassVar[Recipes]
    recipe_class: ClassVar[type[Recipe]]
    embedded: ClassVar[Sequence[str]]
    default_model: ClassVar[tuple[str, Mapping[str, Any]]]
    pretrained_model: ClassVar[str | None]
    pretrained_option: ClassVar[str | None]
    starts_from: ClassVar[Sequence[str]]
    score: ClassVar[tuple[str, float] | None] = None

    @abstractmethod
    def recipe(self, request: Request, start: Start, data: Any = None) -> Recipe:
        """Chooses the recipe; without `data`, as far as it is independent of the data."""

    @abstractmethod
    def load(self, request: Request, start: Start, recipe: Recipe) -> Any:
        """Loads the data to train on.

        Returns:
            an object with `name`, `num_examples`, `pipeline` and `examples`, as the loaders of
            `kerascnn.data` return.
        """

    @abstractmethod
    def reload(
        self,
        record: Any,
        name: str | None,
        data_dir: str | Path | None,
        max_pixels: int | None = None,
    ) -> Any:
        """Loads the data of a run, or other data that are read in the same way."""

    @abstractmethod
    def model(self, start: Start, data: Any, recipe: Recipe) -> keras.Model:
        """Builds the model to train."""

    def learning(self, start: Start) -> Any:
        """Returns how the model learns: an object with the methods of `GradientDescent`."""
        return GradientDescent()

    @abstractmethod
    def objective(self, data: Any, recipe: Recipe, model: keras.Model) -> tuple[Any, Any]:
        """Returns the loss, and a metric to maximize."""

    @abstractmethod
    def pipeline(self, data: Any, split: str, recipe: Recipe, seed: int, model: keras.Model) -> Any:
        """Builds the `tf.data` pipeline of a split, for `fit`."""

    def describe(self, data: Any) -> dict[str, Any]:
        """Returns the task-specific fields of `kerascnn.runs.DataRecord`."""
        report = getattr(data, "report", None)
        if report is None:
            return {}
        return {
            "reading": report.record(),
            "value_ranges": dict(report.value_ranges),
            "mask_values": report.mask_values,
            "mask_colors": report.mask_colors,
            "fingerprint": report.fingerprint,
        }

    def remarks(self, data: Any) -> Iterable[str]:
        """Returns lines to print about how the data are read."""
        report = getattr(data, "report", None)
        return () if report is None else report.lines()

    @abstractmethod
    def evaluate(
        self, model: keras.Model, data: Any, splits: Sequence[str], record: Any
    ) -> Evaluation:
        """Evaluates a model on some splits."""

    def example_files(self, data: Any, split: str, record: Any) -> Iterable[tuple[str, np.ndarray]]:
        """Yields names and uint8 images of a split, to try `predict` on."""
        for name, image, _ in islice(data.examples(split), EXAMPLE_FILES):
            yield str(Path(name).with_suffix("")), image

    @abstractmethod
    def preview(self, data: Any, start: Start, recipe: Recipe, seed: int, title: str) -> Figure:
        """Plots training images as the model receives them."""

    def mismatch(self, model: keras.Model, record: Any) -> str | None:
        """Returns why a model does not fit the record of its run, or `None`."""
        if len(model.inputs) != 1 or len(model.input_shape) != 4:
            return "the input of the model must be images"
        return None

    def channels(self, model: keras.Model) -> int | None:
        """Returns the number of channels to read images with for `predict`; `None` for any."""
        return None

    def files(self, place: Path, record: Any, **options: Any) -> dict[str, Path]:
        """Returns the files of a prediction, as paths relative to the output folder.

        Args:
            place: path of the image, relative to the input folder.
            record: `kerascnn.runs.RunRecord`.
            **options: the task's own options of `predict`.
        """
        return {}

    @abstractmethod
    def predict(
        self, model: keras.Model, images: Iterable[np.ndarray], record: Any, **options: Any
    ) -> Iterator[Prediction]:
        """Yields the prediction for each of the uint8 images."""

    def metadata(self, record: Any) -> dict[str, Any]:
        """Returns metadata of an export about how to read images, for programs that serve it."""
        ranges = record.data.value_ranges
        return (
            {"value_ranges": {kind: list(ends) for kind, ends in ranges.items()}} if ranges else {}
        )

    def network(self, exported: Any) -> Any:
        """Wraps an exported model for `evaluate` and `predict`.

        Args:
            exported: `kerascnn.export.ExportedModel`.

        Raises:
            UsageError: if the task cannot use exports.
        """
        raise UsageError(f"`kerascnn {self.command}` requires a run; got {exported.path}.")

    def calibration_images(self, data: Any, record: Any, count: int) -> Iterable[np.ndarray]:
        """Yields up to `count` uint8 training images, to calibrate `int8` quantization."""
        images = (image for _, image in self.example_files(data, "train", record))
        return islice(images, count)

    @abstractmethod
    def serving(self, model: keras.Model, record: Any) -> Any:
        """Returns the `kerascnn.export.Serving` of the model."""
