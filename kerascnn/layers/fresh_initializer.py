"""An initializer that is used for a second weight."""

import keras


def fresh(initializer):
    """Returns a copy with its own draws: one initializer instance repeats its numbers."""
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer
