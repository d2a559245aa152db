"""A look at the training images before anything is trained."""

import os

import typer

from kerascnn import data, visualize
from kerascnn.storage.atomic_write import atomic_write
from kerascnn.storage.printable import printable
from kerascnn_apps.classify.train import Start

_IMAGES = 8
_VERSIONS = 5


def show_data(task, path, force=False):
    """Draws a row of training images and, below each, what a task's augmentation makes of it.

    Raises:
        FileExistsError: if the file of the picture exists, and `force` is not given.
    """
    if os.path.lexists(path) and not force:
        raise FileExistsError(f"{path} exists; choose a new file, or --force to overwrite it.")
    start = Start.of(task)
    source = data.load_classification(task.data, data_dir=task.data_dir, strict=task.strict)
    source = source.resized(start.image_size(task, source))
    augmentation = start.recipe(
        task, source.num_examples["train"], source.image_shape[2]
    ).augmentation
    pipeline = source.pipeline("train", batch_size=_IMAGES, seed=task.seed)
    images, labels = next(iter(pipeline))
    changes = ", ".join(augmentation.names())
    augment = augmentation.function(task.seed, len(source.class_names))
    figure = visualize.augmentation(
        images.numpy(),
        labels.numpy(),
        [[part.numpy() for part in augment(images, labels)] for _ in range(_VERSIONS)],
        source.class_names,
        title=f"{printable(source.name)}: training images, then {changes or 'as they are'}",
    )
    with atomic_write(path) as temporary:
        figure.savefig(temporary)
    typer.echo(f"picture:     {printable(path)}")
