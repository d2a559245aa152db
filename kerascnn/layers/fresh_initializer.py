"""An initializer that is used for a second weight."""

import keras


def fresh(initializer):
    """A copy that draws anew: one initializer instance gives the same numbers only once."""
    if isinstance(initializer, keras.initializers.Initializer):
        return initializer.clone()
    return initializer
