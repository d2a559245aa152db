"""What happens to an earlier run in the folder of a new one."""

from contextlib import contextmanager

from kerascnn.storage.printable import printable


def is_finished(run, force, say):
    """Whether there is nothing to do, which is then said."""
    if run.state != "finished" or force:
        return False
    say(f"{printable(run.path)} holds a finished run; --force clears it and trains again.")
    return True


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
