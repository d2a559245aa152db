"""The initial weights of a training: random, pretrained on ImageNet, or from another run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import keras

from kerascnn import models


@dataclass(frozen=True)
class Start:
    """A model by name, and its initial weights.

    Args:
        model: str, the name of the model.
        options: arguments of its builder.
        weights: `None`, `"imagenet"`, or the path of a run, as recorded.
        pretrained: arguments of `create_model` that load the weights.
        trained: optional `keras.Model` of a run of the same task, to train further.
        precision: optional str, the precision of `trained`.
    """

    model: str
    options: Mapping[str, Any] = field(default_factory=dict)
    weights: str | None = None
    pretrained: Mapping[str, Any] = field(default_factory=dict)
    trained: keras.Model | None = None
    precision: str | None = None

    @property
    def changes(self):
        """Fields of the recipe that depend on the weights."""
        return {"precision": self.precision} if self.precision else {}

    @property
    def channels(self):
        """The required number of image channels; `None` for any number."""
        if self.trained is not None:
            return self.trained.input_shape[-1]
        if "imagenet" in self.pretrained.values():
            return 3
        trunks = (value for value in self.pretrained.values() if isinstance(value, keras.Model))
        return next((trunk.input_shape[-1] for trunk in trunks), None)

    def build(self, input_shape, num_classes=None):
        """Builds the model for an input shape."""
        if self.trained is not None:
            if num_classes is None:
                return self.trained
            return models.with_new_head(self.trained, num_classes)
        options = models.model_info(self.model).training_options
        options |= {**self.options, **self.pretrained}
        return models.create_model(self.model, input_shape, num_classes, **options)

    def head(self, model):
        """Returns the names of layers with new weights in a pretrained model; otherwise `None`."""
        return models.head_names(model) if self.weights is not None else None
