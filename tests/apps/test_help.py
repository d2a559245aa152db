"""The commands of all tasks have the same options under the same names, in the same order."""

import typer.main

from kerascnn.tasks import get_task, list_tasks
from kerascnn_apps.cli import app
from kerascnn_apps.tasks import TASKS

# What only some tasks can do
OWN = {
    "--data-dir",  # not of upscaling: TensorFlow Datasets has labels
    "--image-size",
    "--ignore",
    "--loss",
    "--class-weights",
    "--balance",
    "--mask-values",
    "--mask-colors",
    "--factor",
    "--crop-size",
    "--patch-size",
    "--patches",
    "--augment",
    "--probabilities",
    "--tile",
}
# A class is printed, not saved.
UNSAVED = {"--out", "--force"}
COMMANDS = ("train", "evaluate", "predict", "export", "show-data", "check")


def options(task, command):
    """`{option: (number of values, default)}` of a command, in order; arguments by their names."""
    group = typer.main.get_command(app).commands[task]
    return {
        parameter.opts[0]: (parameter.nargs, str(parameter.default))
        for parameter in group.commands[command].params
    }


def test_every_task_has_the_same_commands():
    groups = typer.main.get_command(app).commands
    for task in TASKS:
        assert tuple(groups[task.command].commands) == COMMANDS


def test_options_are_the_same_in_the_same_order():
    for command in COMMANDS:
        found = {task.command: options(task.command, command) for task in TASKS}
        for name, given in found.items():
            if command == "predict" and name == "classify":
                assert not UNSAVED & given.keys()
        common = {
            name: [option for option in given if option not in OWN | UNSAVED]
            for name, given in found.items()
        }
        assert len({tuple(given) for given in common.values()}) == 1, common
        for other in found.values():
            for option in set(found["segment"]) & set(other) - {"--data", "--model"}:
                if (command, option) == ("evaluate", "--data"):
                    continue
                assert other[option] == found["segment"][option]
        # One order of all options, whichever of them a task has
        order = {}
        for given in found.values():
            for earlier in given:
                order.setdefault(earlier, set())
            names = list(given)
            for i, later in enumerate(names):
                order[later] |= set(names[:i])
        assert not [(a, b) for a in order for b in order[a] if a in order[b]]


def test_the_commands_are_those_of_the_tasks():
    for commands in TASKS:
        task = get_task(commands.task)
        assert task.command == commands.command
        assert task.embedded[0] == commands.embedded
    assert {commands.task for commands in TASKS} == set(list_tasks())


def test_defaults_of_data():
    defaults = {task.command: options(task.command, "train")["--data"][1] for task in TASKS}
    assert defaults == {
        "classify": "digits",
        "segment": "scenes",
        "upscale": "photos",
        "reconstruct": "digits",
    }
