"""Handles an earlier run in the folder of a new run."""

from contextlib import contextmanager
from dataclasses import replace

from kerascnn.arguments import UsageError
from kerascnn.storage.checkpoints import last_checkpoint
from kerascnn.storage.printable import printable
from kerascnn.training.errors import Interrupted


def is_finished(run, force, say, asked, epochs=None):
    """Returns whether the run is finished, and if so, says this to the user.

    Args:
        run: `RunFolder`.
        force: bool, whether to clear the run.
        say: function that prints a line.
        asked: dict of the parts of the record that are known before the data are read.
        epochs: int, requested number of epochs; a run with fewer epochs is not finished.

    Raises:
        FileExistsError: if the run is finished and was started with other settings.
        UsageError: if it cannot be continued with more epochs.
    """
    if run.state != "finished" or force:
        return False
    different = _different(run.recipe(), asked)
    if different:
        raise FileExistsError(
            f"{printable(run.path)} has a finished run that was started with another "
            f"{' and '.join(different)}; choose another folder, or use --force to replace the run."
        )
    obstacle = _obstacle(run)
    if _is_more(run, epochs):
        if obstacle is None:
            return False
        raise UsageError(
            f"{printable(run.path)} has a finished run that cannot be continued, because "
            f"{obstacle}; use --force to train again."
        )
    also = "" if obstacle else ", or a larger --epochs to continue it"
    say(f"{printable(run.path)} has a finished run; use --force to train again{also}.")
    return True


def _different(record, asked):
    """Returns the names of the parts of a record that differ from what is asked for."""
    found = []
    for name, part in asked.items():
        then = record.get(name)
        if then is not None and not _agrees(then, part):
            found.append(name)
    return found


def _agrees(then, part):
    """Returns whether a recorded value is what is asked for, or one of a list.

    Of a dict, keys that are not asked for do not count, except for the options of a model.
    """
    if isinstance(part, list) and isinstance(then, dict):
        return any(_agrees(then, one) for one in part)
    if isinstance(part, dict) and isinstance(then, dict):
        return then.get("options") == part.get("options", then.get("options")) and all(
            _agrees(then.get(key, value), value) for key, value in part.items()
        )
    return then == part


def _obstacle(run):
    """Returns why a finished run cannot be continued, or `None`."""
    epochs = run.recipe().get("training", {}).get("epochs")
    completed, _ = last_checkpoint(run)
    if not completed:
        return "it has no checkpoint"
    if isinstance(epochs, int) and completed < epochs:
        return f"it ended early, after epoch {completed} of {epochs} (--patience or --stop-at)"
    return None


def continued(run, recipe):
    """Returns the recipe of a run that continues with more epochs.

    Its frozen epochs stay the same as before, although they are a fraction of the epochs.
    """
    if not run.recipe_path.is_file() or not _is_more(run, recipe.epochs):
        return recipe
    frozen = run.recipe()["training"].get("frozen_epochs", recipe.frozen_epochs)
    return replace(recipe, frozen_epochs=frozen)


def _is_more(run, epochs):
    before = run.recipe().get("training", {}).get("epochs")
    return epochs is not None and isinstance(before, int) and epochs > before


@contextmanager
def replacing(run, force, say):
    """Clears the earlier run of a folder if requested, and says where it is.

    An error in the context gets a note with the location of the earlier run if it still exists. An
    interruption says that the same command would clear the new run, too.
    """
    if force:
        run.clear()
    earlier = run.replaced
    if earlier:
        say(f"earlier run: moved to {_listed(earlier)} until the new run has its first checkpoint")
    try:
        yield
    except Interrupted as stopped:
        if not force or stopped.path is None:
            raise
        command = "the same command without --force"
        raise Interrupted(stopped.signal, stopped.path, command) from stopped
    except Exception as error:
        if run.replaced:
            error.add_note(f"The earlier run is in {_listed(run.replaced)}.")
        raise
    kept = [folder for folder in earlier if folder.exists()]
    if kept:
        say(
            f"earlier run: {_listed(kept)} is kept, because it may contain files that the run did "
            "not write"
        )


def _listed(folders):
    return ", ".join(map(printable, folders))
