"""Radial basis functions at the output."""

import keras
from keras import ops as kops

from kerascnn import ops
from kerascnn.arguments import at_least_one
from kerascnn.geometry import Window, product
from kerascnn.ops.rbf_output import rbf_output_shape


@keras.saving.register_keras_serializable(package="kerascnn")
class RBFOutput(keras.layers.Layer):
    """Squared Euclidean distance of the features to a prototype of every class.

    `y[..., i] = sum over j of (x[..., j] - prototypes[i, j])**2`. The outputs are distances, the
    smaller, the more alike; their negatives serve as logits. In the LeNet of 1998 the prototypes
    were 7x12 pictures of the characters, with -1 for white and 1 for black, and were not trained;
    `set_weights` puts such pictures in.

    Args:
        units: int, the number of prototypes.
        prototypes_initializer: initializer of `prototypes`; by default every number is -1 or 1,
            with equal probability.
        trainable_prototypes: bool, whether training moves the prototypes.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of rank 1 at least.

    Input shape:
        `(..., features)`

    Output shape:
        `(..., units)`

    Raises:
        ValueError: if `units` is no int of at least 1, or the number of features is not known.

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

    def __init__(self, units, prototypes_initializer=None, trainable_prototypes=False, **kwargs):
        super().__init__(**kwargs)
        self.units = at_least_one(units, "units")
        self.prototypes_initializer = keras.initializers.get(prototypes_initializer)
        self.trainable_prototypes = trainable_prototypes
        self.supports_masking = True

    def build(self, input_shape):
        self.compute_output_shape(input_shape)
        self.prototypes = self.add_weight(
            name="prototypes",
            shape=(self.units, input_shape[-1]),
            initializer=self.prototypes_initializer or _random_signs,
            trainable=self.trainable_prototypes,
        )

    def call(self, inputs):
        return ops.rbf_output(inputs, self.prototypes)

    def compute_output_shape(self, input_shape):
        features = input_shape[-1] if input_shape else None
        if features is None:
            raise ValueError(
                f"The number of input features must be known; got shape {tuple(input_shape)}."
            )
        return rbf_output_shape(input_shape, (self.units, features))

    def compute_window(self):
        return Window()

    def compute_multiply_adds(self, input_shape, output_shape):
        return product(*output_shape[1:], input_shape[-1])

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "prototypes_initializer": keras.initializers.serialize(self.prototypes_initializer),
            "trainable_prototypes": self.trainable_prototypes,
        }


def _random_signs(shape, dtype=None):
    # An initializer of Keras's draws its seed as all of them do. Without a seed, `keras.random`
    # would make a global generator, which belongs to the graph that happens to be traced.
    drawn = keras.initializers.RandomUniform(-1, 1)(shape, dtype=dtype)
    return kops.where(drawn < 0, kops.cast(-1, dtype), kops.cast(1, dtype))
