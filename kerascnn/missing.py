"""Libraries that only some parts need, and how to install them."""

# What the extra `apps` brings, by the names of the imports.
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
    """Returns the sentence for a library of the extra `apps` that is missing.

    Args:
        error: the error of its import.
        user: str, what needs the library.

    Returns:
        str, or `None` if the error is another one.

    Example:
        >>> from kerascnn.missing import how_to_install
        >>> how_to_install(ModuleNotFoundError(name="sklearn.metrics"), "`kerascnn.data`")
        "`kerascnn.data` needs sklearn, which is not installed: pip install 'kerascnn[apps]'."
    """
    name = (error.name or "").partition(".")[0]
    if name not in APPS:
        return None
    return f"{user} needs {name}, which is not installed: pip install 'kerascnn[apps]'."
