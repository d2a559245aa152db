"""Installation hints for optional libraries."""

# The libraries of the extra `apps`, by import name.
APPS = (
    "PIL",
    "importlib_resources",
    "matplotlib",
    "pydantic",
    "requests",
    "rich",
    "scipy",
    "sklearn",
    "tensorboard",
    "tensorflow_datasets",
    "typer",
)


def how_to_install(error: ImportError, user: str) -> str | None:
    """Returns the error message for a missing library of the extra `apps`.

    Args:
        error: the import error.
        user: str, what needs the library.

    Returns:
        str, or `None` for any other error.

    Example:
        >>> from kerascnn.missing import how_to_install
        >>> how_to_install(ModuleNotFoundError(name="sklearn.metrics"), "`kerascnn.data`")
        "`kerascnn.data` needs sklearn, which is not installed: pip install 'kerascnn[apps]'."
    """
    name = (error.name or "").partition(".")[0]
    if name not in APPS:
        return None
    return f"{user} needs {name}, which is not installed: pip install 'kerascnn[apps]'."
