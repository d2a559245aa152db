"""The registry of tasks."""

from kerascnn.arguments import UsageError, one_of
from kerascnn.tasks.classification import ClassificationTask
from kerascnn.tasks.reconstruction import ReconstructionTask
from kerascnn.tasks.segmentation import SegmentationTask
from kerascnn.tasks.task import Task
from kerascnn.tasks.upscaling import UpscalingTask

_TASKS = {}


def register(task: Task) -> Task:
    """Adds a task to the registry.

    Args:
        task: `Task`.

    Returns:
        the task.

    Raises:
        ValueError: if another task has the same name.
    """
    if _TASKS.setdefault(task.name, task) is not task:
        raise UsageError(f"Two tasks are named {task.name!r}.")
    return task


def list_tasks() -> list[str]:
    """Returns the names of all tasks, sorted.

    Example:
        >>> import kerascnn
        >>> kerascnn.tasks.list_tasks()
        ['classification', 'reconstruction', 'segmentation', 'upscaling']
    """
    return sorted(_TASKS)


def get_task(name: str) -> Task:
    """Returns a task.

    Args:
        name: str, one of `list_tasks()`.

    Raises:
        ValueError: for an unknown name.

    Example:
        >>> import kerascnn
        >>> kerascnn.tasks.get_task("upscaling").command
        'upscale'
    """
    return _TASKS[one_of(name, tuple(list_tasks()), "task")]


for _task in (ClassificationTask, ReconstructionTask, SegmentationTask, UpscalingTask):
    register(_task())
