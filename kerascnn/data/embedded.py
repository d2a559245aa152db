"""Sets that come with the installation."""

import warnings
from pathlib import Path


class EmbeddedSetWarning(UserWarning):
    """A folder has the name of an embedded set, which is taken."""


def embedded(name, known):
    """Whether a set is one of the embedded `known`; warns if a folder has that name as well."""
    if name not in known:
        return False
    if Path(name).is_dir():
        warnings.warn(
            f"{name!r} is the embedded set; the folder of that name is ./{name}.",
            EmbeddedSetWarning,
            stacklevel=3,
        )
    return True
