"""Where a training starts: at fresh weights, at ImageNet's, or at those of another run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from kerascnn import models


@dataclass(frozen=True)
class Start:
    """A model by name, and the weights that it starts with.

    Args:
        model: str, the name of the model.
        options: arguments of its builder.
        weights: `None`, `"imagenet"`, or the path of a run, as it is recorded.
        pretrained: arguments of `create_model` that load the weights.
        trained: optional `keras.Model` of a run of the same task, which is taken over.
        precision: optional str, what `trained` computes in.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    pretrained: Mapping[str, Any] = field(default_factory=dict)
    trained: keras.Model | None = None
    precision: str | None = None

    @property
    def changes(self):
        """Fields of the recipe that follow from the weights."""
        return {"precision": self.precision} if self.precision else {}

    @property
    def channels(self):
        """How many channels images must have; `None` for any number."""
        if self.trained is not None:
            return self.trained.input_shape[-1]
        if "imagenet" in self.pretrained.values():
            return 3
        trunks = (value for value in self.pretrained.values() if isinstance(value, keras.Model))
        return next((trunk.input_shape[-1] for trunk in trunks), None)

    def build(self, input_shape, num_classes=None):
        """Returns the model, for images of a shape."""
        if self.trained is not None:
            if num_classes is None:
                return self.trained
            return models.with_new_head(self.trained, num_classes)
        options = models.model_info(self.model).training_options
        options |= {**self.options, **self.pretrained}
        return models.create_model(self.model, input_shape, num_classes, **options)

    def head(self, model):
        """Names of the layers whose weights are new, where others are not; otherwise `None`."""
        return models.head_names(model) if self.weights is not None else None
