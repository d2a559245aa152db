"""Selects the Keras backend, which must happen before Keras is imported."""

import importlib.util
import os
import sys

BACKENDS = ("tensorflow", "jax", "torch")


def use_backend(name):
    """Selects the Keras backend; `None` leaves the choice to Keras.

    Raises:
        ValueError: for an unknown name.
        RuntimeError: if the backend is not installed, or Keras was imported with another one.
    """
    if name is None:
        return
    if name not in BACKENDS:
        from kerascnn.arguments import UsageError

        known = ", ".join(repr(known) for known in BACKENDS)
        raise UsageError(f"`backend` must be one of {known}; got backend={name!r}.")
    if importlib.util.find_spec(name) is None:
        raise RuntimeError(not_installed(name))
    if "keras" in sys.modules:
        loaded = sys.modules["keras"].backend.backend()
        if loaded != name:
            raise RuntimeError(
                f"Keras was already imported with the backend {loaded}; got backend={name!r}."
            )
    os.environ["KERAS_BACKEND"] = name


def not_installed(name):
    """Returns the error message for a missing backend."""
    extra = "" if name == "tensorflow" else f"[{name}]"
    return f"The backend {name} is not installed: pip install 'kerascnn{extra}'."
