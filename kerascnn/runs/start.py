"""Finds the weights that a training starts with."""

from pathlib import Path

from kerascnn import models
from kerascnn.arguments import UsageError
from kerascnn.runs.record import open_run
from kerascnn.tasks import get_task
from kerascnn.tasks.start import Start


def start_of(task, request):
    """Returns the model and the weights that a training starts with.

    Args:
        task: `kerascnn.tasks.Task`.
        request: `kerascnn.tasks.Request`.

    Returns:
        `kerascnn.tasks.start.Start`.

    Raises:
        FileNotFoundError: if `weights` is a folder without a run.
        ValueError: if the model is for another task, or the weights are of another model.
    """
    for option in ("input_shape", "num_classes", "name", "weights", "encoder_weights"):
        if option in request.options:
            raise UsageError(f"`{option}` is no option of a model here; it follows from the data.")
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
        name, options = _decoder_of(task, request, record.model.name)
        trunk = {task.pretrained_option: run.load_model()}
        return Start(name, options, weights, pretrained=trunk)
    for name, asked, trained in (
        ("model", request.model, record.model.name),
        ("options", request.options or None, record.model.options),
        ("precision", request.changes.get("precision"), record.training.precision),
    ):
        if asked not in (None, trained):
            raise UsageError(
                f"`{name}` must be that of the weights, {trained!r}; got {name}={asked!r}."
            )
    return Start(
        record.model.name,
        record.model.options,
        weights,
        trained=run.load_model(),
        precision=record.training.precision,
    )


def _imagenet(task, request):
    if task.pretrained_option is None:
        raise UsageError(
            f"`weights` must be a run of `kerascnn {task.command} train`, as there are none of "
            f"ImageNet for {task.name}; got weights={request.weights!r}."
        )
    name = _checked(task, request.model or task.pretrained_model)
    return Start(
        name, dict(request.options), "imagenet", pretrained={task.pretrained_option: "imagenet"}
    )


def _decoder_of(task, request, classifier):
    """The model on the encoder of a classifier, and its options."""
    if request.model is not None:
        return _checked(task, request.model), dict(request.options)
    name, options = f"unet_{classifier}", {}
    if name not in models.list_models(task=task.name):
        name, options = "unet_resnet18", {"encoder": classifier}
    return name, {**options, **request.options}


def _checked(task, name):
    other = models.model_info(name).task  # knows the name, or says which are known
    if other != task.name:
        known = ", ".join(repr(name) for name in models.list_models(task=task.name))
        raise UsageError(
            f"`model` must be one for {task.name} ({known}); got model={name!r}, which is for "
            f"{other} (`kerascnn {get_task(other).command} train`)."
        )
    return name
