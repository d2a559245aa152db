"""Copies of initializers, for a second weight."""

from typing import Any

import keras


def fresh(initializer: Any) -> Any:
    """Returns a copy with its own random values, because an initializer repeats its values."""
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer
