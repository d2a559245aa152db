"""Handles an earlier run in the folder of a new run."""

from contextlib import contextmanager
from dataclasses import replace

from kerascnn.storage.printable import printable


def is_finished(run, force, say, epochs=None):
    """Returns whether the run is finished, and if so, says this to the user.

    Args:
        run: `RunFolder`.
        force: bool, whether to clear the run.
        say: function that prints a line.
        epochs: int, requested number of epochs; a run with fewer epochs is not finished.
    """
    if run.state != "finished" or force or _is_more(run, epochs):
        return False
    say(
        f"{printable(run.path)} has a finished run; use --force to train again, or a "
        "larger --epochs to continue it."
    )
    return True


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

    An error in the context gets a note with the location of the earlier run if it still exists.
    """
    if force:
        run.clear()
    earlier = run.replaced
    if earlier:
        say(f"earlier run: moved to {_listed(earlier)} until the new run has its first checkpoint")
    try:
        yield
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
