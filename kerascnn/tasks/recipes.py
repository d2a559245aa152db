"""Recipes of a task by name, and their changes for some models."""

import dataclasses
import fnmatch
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kerascnn.arguments import one_of
from kerascnn.training import Recipe


@dataclass(frozen=True)
class Recipes:
    """A table of recipes.

    Args:
        rows: `{name: recipe}`.
        changes: `{name: [(patterns, fields)]}`, the fields of a recipe that differ for models whose
            name matches one of the shell patterns; `"*"` applies to all recipes.
    """

    rows: Mapping[str, Recipe]
    changes: Mapping[str, Sequence[tuple[Sequence[str], Mapping[str, Any]]]] = field(
        default_factory=dict
    )

    def choose(self, name, model, asked, **found):
        """Returns a recipe for a model.

        Args:
            name: str, one of `rows`.
            model: str, the name of the model.
            asked: fields to replace; `None` changes nothing. `augmentation` is a dict of
                `Augmentation` fields.
            **found: fields that depend on the data; `asked` takes precedence.

        Raises:
            ValueError: for an unknown name or field, or a number out of range.
        """
        recipe = self.rows[one_of(name, tuple(self.rows), "recipe")]
        fields = {}
        for patterns, change in (*self.changes.get("*", ()), *self.changes.get(name, ())):
            if any(fnmatch.fnmatch(model, pattern) for pattern in patterns):
                fields |= change
        fields |= found
        asked = {key: value for key, value in asked.items() if value is not None}
        known = tuple(field.name for field in dataclasses.fields(recipe))
        for name in asked:
            one_of(name, known, "changes")
        augment = asked.pop("augmentation", {})
        fields |= asked
        if augment:
            known = fields.get("augmentation", recipe.augmentation)
            allowed = tuple(field.name for field in dataclasses.fields(known))
            for changed in augment:
                one_of(changed, allowed, "augment")
            fields["augmentation"] = dataclasses.replace(known, **augment)
        if "epochs" in fields:  # the frozen epochs keep their fraction
            share = recipe.frozen_epochs * fields["epochs"] // recipe.epochs
            fields.setdefault("frozen_epochs", share)
        return dataclasses.replace(recipe, **fields)
