"""What happens to an earlier run in the folder of a new one."""

from contextlib import contextmanager
from dataclasses import replace

from kerascnn.storage.printable import printable


def is_finished(run, force, say, epochs=None):
    """Whether there is nothing to do, which is then said.

    Args:
        run: `RunFolder`.
        force: bool, whether the run is cleared.
        say: function of a line.
        epochs: int, how many epochs are asked for; more than the run has are something to do.
    """
    if run.state != "finished" or force or _is_more(run, epochs):
        return False
    say(
        f"{printable(run.path)} holds a finished run; --force clears it and trains again, and a "
        "larger --epochs continues it."
    )
    return True


def continued(run, recipe):
    """Returns a recipe of more epochs as that of the run that continues with it.

    The frozen epochs of a recipe are a part of its epochs: those of the run stay as they are.
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
    """Clears the earlier run of a folder, if asked for, and says where it is.

    An error in the context says so, too, if the earlier run is still there.
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
            f"earlier run: {_listed(kept)} is kept: not all of its files are known to be as the "
            "run wrote them"
        )


def _listed(folders):
    return ", ".join(map(printable, folders))
