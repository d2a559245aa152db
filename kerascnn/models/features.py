"""Models that return feature maps by stride."""

import keras


@keras.saving.register_keras_serializable(package="kerascnn")
class FeatureModel(keras.Model):
    """A functional model whose outputs are `{stride: features}`, also after loading it from a file.

    Files have strings as keys, so that a loaded `keras.Model` would have other keys, in another
    order: as a layer in a larger model, it would return its feature maps in the wrong order.

    Args:
        inputs: `keras.KerasTensor`.
        outputs: dict of `keras.KerasTensor` with ints as keys.
        name: str.
    """

    @classmethod
    def from_config(cls, config, custom_objects=None):
        outputs = {int(stride): output for stride, output in config["output_layers"].items()}
        return super().from_config({**config, "output_layers": outputs}, custom_objects)


# Keras looks for it by this name in HDF5 files.
keras.saving.get_custom_objects()["FeatureModel"] = FeatureModel
