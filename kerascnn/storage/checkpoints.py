"""The checkpoints of a run: `checkpoints/epoch_0007.weights.h5`."""

import re

_NAME = re.compile(r"epoch_(\d{4,})\.weights\.h5")


def checkpoint_path(run, epoch):
    """The path of the checkpoint after so many epochs."""
    return run.checkpoints / f"epoch_{epoch:04d}.weights.h5"


def numbered(folder):
    """Returns `{path: epoch}` of all files in a folder that have the name of a checkpoint."""
    matches = ((path, _NAME.fullmatch(path.name)) for path in folder.glob("epoch_*.weights.h5"))
    return {path: int(match[1]) for path, match in matches if match}


def checkpoints(run):
    """Returns `{path: epoch}` of the checkpoints of a run, without files that the user added."""
    return {path: epoch for path, epoch in numbered(run.checkpoints).items() if run.owns(path)}


def last_checkpoint(run):
    """`(epochs behind it, path)` of a run's newest checkpoint, or `(0, None)`."""
    return max(((epoch, path) for path, epoch in checkpoints(run).items()), default=(0, None))
