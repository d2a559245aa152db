"""Radial basis functions as an output layer."""

from typing import Any

import keras
from keras import ops as kops

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import Window, product
from kerascnn.ops.rbf_output import rbf_output_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class RBFOutput(keras.layers.Layer):
    """Computes the squared Euclidean distances of the features to a prototype of every class.

    `y[..., i] = sum over j of (x[..., j] - prototypes[i, j])**2`. A smaller distance means a better
    match, so negative distances serve as logits. In LeNet-5 (1998), the prototypes were 7x12 images
    of the characters, with -1 for white and 1 for black, and were not trained; use `set_weights` to
    set such images.

    Args:
        units: int, the number of prototypes.
        prototypes_initializer: initializer of `prototypes`; by default every value is -1 or 1 with
            equal probability.
        trainable_prototypes: bool, whether to train the prototypes.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 1 or higher.

    Input shape:
        `(..., features)`

    Output shape:
        `(..., units)`

    Raises:
        ValueError: if `units` is not an int of at least 1, or the number of features is unknown.

    Reference:
        [LeCun et al., 1998](http://yann.lecun.com/exdb/publis/pdf/lecun-01a.pdf), section II.B

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.RBFOutput(10)
        >>> distances = layer(keras.ops.zeros((1, 84)))
        >>> tuple(distances.shape), float(distances[0, 0])
        ((1, 10), 84.0)
    """

    def __init__(
        self,
        units: int,
        prototypes_initializer: Any = None,
        trainable_prototypes: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = at_least_one(units, "units")
        self.prototypes_initializer = keras.initializers.get(prototypes_initializer)
        self.trainable_prototypes = trainable_prototypes
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        self.compute_output_shape(input_shape)
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=(self.units, input_shape[-1]),
            initializer=self.prototypes_initializer or _random_signs,
            trainable=self.trainable_prototypes,
        )

    def call(self, inputs: Any) -> Any:
        return ops.rbf_output(inputs, self.prototypes)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        features = input_shape[-1] if input_shape else None
        if features is None:
            raise ValueError(
                f"The number of input features must be known; got shape {tuple(input_shape)}."
            )
        return rbf_output_shape(input_shape, (self.units, features))

    def compute_window(self) -> Window | None:
        return Window()

    def compute_multiply_adds(self, input_shape: Any, output_shape: Any) -> int | None:
        return product(*output_shape[1:], input_shape[-1])

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "units": self.units,
            "prototypes_initializer": keras.initializers.serialize(self.prototypes_initializer),
            "trainable_prototypes": self.trainable_prototypes,
        }


def _random_signs(shape, dtype=None):
    # A Keras initializer draws its seed from Python's generator. Without a seed, `keras.random`
    # would create a global generator, which belongs to the graph being traced.
    drawn = keras.initializers.RandomUniform(-1, 1)(shape, dtype=dtype)
    return kops.where(drawn < 0, kops.cast(-1, dtype), kops.cast(1, dtype))
