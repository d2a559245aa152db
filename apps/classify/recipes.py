"""How classifiers are trained: the numbers, one row for each kind of task."""

from kerascnn.training import Recipe

RECIPES = {
    "small": Recipe(
        epochs=60, batch_size=32, learning_rate=2e-3, weight_decay=0.1, translation=0.1
    ),
    "standard": Recipe(
        epochs=30, batch_size=128, learning_rate=2e-3, weight_decay=0.1, translation=0.07
    ),
}

# Sets with fewer training images than this take many passes in small steps.
SMALL = 5_000


def recipe_for(num_examples):
    """Name of the recipe for a set with so many training images."""
    return "small" if num_examples < SMALL else "standard"
