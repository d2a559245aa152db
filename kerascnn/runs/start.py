"""Finds the initial weights of a training."""

from dataclasses import fields
from pathlib import Path

from kerascnn import models
from kerascnn.arguments import UsageError
from kerascnn.models.encoder import encoders
from kerascnn.models.family import TASKS
from kerascnn.models.registry import row_of
from kerascnn.runs.record import open_run
from kerascnn.tasks import get_task
from kerascnn.tasks.start import Start

_DECIDED = (
    "input_shape",
    "num_classes",
    "name",
    "weights",
    "encoder_weights",
    "include_top",
    "pooling",
    "features_only",
)


def start_of(task, request):
    """Returns the model and the initial weights of a training.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.

    Returns:
        `kerascnn.tasks.start.Start`.

    Raises:
        FileNotFoundError: if `weights` is a folder without a run.
        ValueError: if the model is for another task, or the weights belong to another model.
    """
    for option in _DECIDED:
        if option in request.options:
            raise UsageError(
                f"`{option}` cannot be a model option: the data and the task determine it."
            )
    start = _found(task, request)
    if start.model in models.list_models():  # a custom task may have its own models
        family, _, name = row_of(start.model)
        family.options_of(name, start.options)  # raises an error that lists the options
    return start


def _found(task, request):
    if request.weights is None:
        name, options = task.default_model
        if request.model is not None:
            name, options = _checked(task, request.model), {}
        return Start(name, {**options, **request.options})
    if request.weights == "imagenet":
        return _imagenet(task, request)
    run, record = open_run(request.weights)
    if record.task not in task.starts_from:
        commands = [f"`kerascnn {get_task(name).command} train`" for name in task.starts_from]
        raise UsageError(
            f"`weights` must be a run of {' or '.join(commands)}; got {request.weights}, which is "
            f"for {record.task}."
        )
    weights = str(Path(request.weights).resolve())
    if record.task != task.name:
        name, options = _decoder_of(task, request, record.model)
        trunk = {task.pretrained_option: run.load_model()}
        return Start(name, options, weights, pretrained=trunk)
    for name, asked, trained in (
        ("model", request.model, record.model.name),
        ("options", request.options or None, record.model.options),
        ("precision", request.changes.get("precision"), record.training.precision),
    ):
        if asked not in (None, trained):
            raise UsageError(f"`{name}` must match the weights, {trained!r}; got {name}={asked!r}.")
    trained = run.load_model()
    for layer in trained.layers:  # the best epoch may have had a frozen trunk
        layer.trainable = True
    return Start(
        record.model.name,
        record.model.options,
        weights,
        trained=trained,
        precision=record.training.precision,
    )


def _imagenet(task, request):
    if task.pretrained_option is None:
        raise UsageError(
            f"`weights` must be a run of `kerascnn {task.command} train`, because there are no "
            f"ImageNet weights for {task.name}; got weights={request.weights!r}."
        )
    name = _checked(task, request.model or task.pretrained_model)
    if models.model_info(name).pretrained is None and "encoder" not in request.options:
        raise UsageError(f"There are no ImageNet weights for the model {name!r}.")
    return Start(
        name, dict(request.options), "imagenet", pretrained={task.pretrained_option: "imagenet"}
    )


def _decoder_of(task, request, classifier):
    """Returns a segmentation model that uses a classifier as encoder, and its options."""
    if classifier.name not in encoders():
        raise UsageError(
            "`weights` must be a run of an encoder "
            f"({', '.join(encoders())}); got a run of {classifier.name!r}."
        )
    top = {option.name for option in fields(models.rows.ClassifierOptions)}
    own = {name: value for name, value in classifier.options.items() if name not in top}
    options = {"encoder_options": own} if own else {}
    name = request.model and _checked(task, request.model)
    if name is None:
        name = f"unet_{classifier.name}"
        if name not in models.list_models(task=task.name):
            name, options = "unet_resnet18", {**options, "encoder": classifier.name}
    return name, {**options, **request.options}


def _checked(task, name):
    other = models.model_info(name).task  # raises an error that lists the known names
    # A task that is not kerascnn's own may train a model of any task.
    if other != task.name and task.name in TASKS:
        known = ", ".join(repr(name) for name in models.list_models(task=task.name))
        raise UsageError(
            f"`model` must be one for {task.name} ({known}); got model={name!r}, which is for "
            f"{other} (`kerascnn {get_task(other).command} train`)."
        )
    return name
