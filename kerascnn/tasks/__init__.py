"""Tasks, such as classification and segmentation, by name."""

from kerascnn.tasks.registry import get_task, list_tasks, register
from kerascnn.tasks.task import Evaluation, Prediction, Request, Table, Task

__all__ = [
    "Evaluation",
    "Prediction",
    "Request",
    "Table",
    "Task",
    "get_task",
    "list_tasks",
    "register",
]


def __dir__():
    return __all__
