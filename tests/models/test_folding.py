import keras
import numpy as np
import pytest

from kerascnn import layers as ours
from kerascnn.models import (
    accelerate,
    create_model,
    fold_batch_normalization,
    list_models,
    model_info,
)
from tests.models.surgery import (
    application,
    assert_same_outputs,
    layers_of,
    randomized,
    resnext,
)
from tests.models.test_every_model import SIZES, few, of_each_kind, small
from tests.nightly import every_night

theirs = keras.layers
NORMALIZATIONS = (theirs.BatchNormalization, ours.BatchNormalization)


def left(model):
    """Names of the batch normalizations in a model and those nested in it."""
    return [layer.name for layer in layers_of(model) if isinstance(layer, NORMALIZATIONS)]


def checked(model, *remain, x=None):
    """Folds a model, and checks its outputs and which batch normalizations remain."""
    randomized(model)
    config, weights = model.get_config(), model.get_weights()
    folded = fold_batch_normalization(model)
    assert model.get_config() == config
    for before, after in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(after, before)
    assert_same_outputs(model, folded, x)
    assert left(folded) == list(remain)
    return folded


def chain(*layers, shape=(9, 8, 4)):
    return keras.Sequential([keras.Input(shape), *layers])


KERNELS = {
    "conv": lambda bias: theirs.Conv2D(6, (2, 3), strides=(2, 1), use_bias=bias),
    "conv_1d": lambda bias: theirs.Conv1D(6, 2, use_bias=bias),
    "conv_3d": lambda bias: theirs.Conv3D(6, 2, use_bias=bias),
    "grouped": lambda bias: theirs.Conv2D(6, 2, groups=2, use_bias=bias),
    "group_conv": lambda bias: ours.GroupConv2D(8, 3, groups=4, use_bias=bias),
    "pointwise": lambda bias: ours.PointwiseConv2D(6, padding="same", groups=2, use_bias=bias),
    "depthwise": lambda bias: theirs.DepthwiseConv2D(3, depth_multiplier=2, use_bias=bias),
    "our_depthwise": lambda bias: ours.DepthwiseConv2D(3, depth_multiplier=2, use_bias=bias),
    "separable": lambda bias: theirs.SeparableConv2D(6, 3, depth_multiplier=2, use_bias=bias),
    "our_separable": lambda bias: ours.SeparableConv2D(6, 3, use_bias=bias),
    "dense": lambda bias: theirs.Dense(6, use_bias=bias),
}
TRANSPOSED = {
    "transposed": lambda bias: theirs.Conv2DTranspose(6, 3, strides=2, use_bias=bias),
    "our_transposed": lambda bias: ours.Conv2DTranspose(
        6, 3, strides=2, padding="same", groups=2, use_bias=bias
    ),
}
SHAPES = {"conv_1d": (9, 4), "conv_3d": (4, 5, 6, 4)}


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", [*KERNELS, *TRANSPOSED])
def test_goes_into_the_kernel_before_it(kind, use_bias):
    layer = {**KERNELS, **TRANSPOSED}[kind](use_bias)
    model = chain(layer, theirs.BatchNormalization(), shape=SHAPES.get(kind, (9, 8, 4)))
    folded = checked(model)
    assert [type(layer) for layer in folded.layers] == [type(layer)]
    assert [layer.name for layer in folded.layers] == [layer.name]


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", KERNELS)
def test_goes_into_the_kernel_after_it(kind, use_bias):
    layer = KERNELS[kind](use_bias)
    model = chain(ours.BatchNormalization(), layer, shape=SHAPES.get(kind, (9, 8, 4)))
    assert len(checked(model).layers) == 1


def test_goes_into_kernels_on_both_sides_through_what_does_nothing():
    model = chain(
        theirs.BatchNormalization(),
        theirs.GaussianNoise(0.1),
        theirs.BatchNormalization(),
        theirs.Conv2D(6, 3, groups=2),
        theirs.Dropout(0.5),
        theirs.BatchNormalization(scale=False),
        ours.BatchNormalization(center=False),
        ours.StochasticDepth(0.5),
        theirs.BatchNormalization(scale=False, center=False),
        theirs.ReLU(),
    )
    assert [type(layer) for layer in checked(model).layers] == [theirs.Conv2D, theirs.ReLU]


@pytest.mark.parametrize(
    "layer",
    [
        ours.GroupConv2D(6, 3, groups=2, data_format="channels_first"),
        ours.DepthwiseConv2D(3, depth_multiplier=2, data_format="channels_first"),
        ours.SeparableConv2D(6, 3, use_bias=False, data_format="channels_first"),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_channels_first(layer):
    norms = [theirs.BatchNormalization(axis=1) for _ in range(2)]
    assert len(checked(chain(norms[0], layer, norms[1], shape=(4, 9, 8))).layers) == 1


def test_another_axis_stays():
    model = chain(theirs.Conv2D(6, 3), theirs.BatchNormalization(axis=1, name="rows"))
    checked(model, "rows")


@pytest.mark.parametrize(
    "layer",
    [
        theirs.Conv2D(6, 3, padding="same"),
        theirs.DepthwiseConv2D((1, 2), padding="same"),
        ours.GroupConv2D(6, 1, padding=1),
        ours.SeparableConv2D(6, 3, padding=((1, 0), (0, 0))),
        theirs.Conv2DTranspose(6, 3),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_a_shift_does_not_go_where_zeros_are_added(layer):
    model = chain(theirs.BatchNormalization(name="shifted"), layer)
    with pytest.warns(UserWarning, match="in 'shifted' is not folded"):
        checked(model, "shifted")
    norm = model.get_layer("shifted")
    gamma, beta, mean, variance = norm.get_weights()
    norm.set_weights([gamma, 0 * beta, 0 * mean, variance])
    folded = fold_batch_normalization(model)  # without a warning
    assert left(folded) == []
    assert_same_outputs(model, folded)


def test_zeros_in_a_layer_of_their_own_stay_zeros():
    model = chain(
        theirs.BatchNormalization(name="norm"), theirs.ZeroPadding2D(), theirs.Conv2D(6, 3)
    )
    checked(model, "norm")


def test_an_activation_in_the_layer_is_in_between():
    checked(chain(theirs.Conv2D(6, 3, activation="relu"), theirs.BatchNormalization(name="n")), "n")
    # It comes after the kernel on the other side.
    checked(chain(theirs.BatchNormalization(), ours.GroupConv2D(6, 3, activation="relu")))


def test_an_output_that_is_used_twice_stays():
    inputs = keras.Input((9, 8, 4))
    x = theirs.Conv2D(4, 3, padding="same")(inputs)
    y = theirs.BatchNormalization(name="norm")(x)
    checked(keras.Model(inputs, theirs.Add()([theirs.ReLU()(y), x])), "norm")
    checked(keras.Model(inputs, [theirs.ReLU()(y), x]), "norm")
    # Two layers after it can both take it.
    y = theirs.BatchNormalization()(theirs.ReLU()(x))
    branches = [theirs.Conv2D(3, 3)(y), theirs.DepthwiseConv2D(2)(theirs.Dropout(0.5)(y))]
    checked(keras.Model(inputs, branches))
    y = theirs.BatchNormalization(name="other")(theirs.ReLU()(x))
    checked(keras.Model(inputs, [theirs.Conv2D(3, 3)(y), theirs.ReLU()(y)]), "other")


def test_shared_layers():
    inputs = keras.Input((9, 8, 4))
    conv, norm = theirs.Conv2D(4, 3), theirs.BatchNormalization(name="norm")
    once, twice = norm(conv(inputs)), conv(theirs.ReLU()(inputs))
    checked(keras.Model(inputs, [once, twice]), "norm")  # the convolution has two calls
    first, second = norm(theirs.Conv2D(4, 3)(inputs)), norm(theirs.Conv2D(4, 2)(inputs))
    checked(keras.Model(inputs, [first, second]))
    checked(keras.Model(inputs, [first, second, norm(theirs.ReLU()(inputs))]), "norm")


def test_a_layer_that_is_shared_with_a_nested_model():
    inputs, inner = keras.Input((9, 8, 4)), keras.Input((9, 8, 4))
    conv = theirs.Conv2D(4, 3)
    nested = keras.Model(inner, theirs.BatchNormalization(name="norm")(conv(inner)))
    checked(keras.Model(inputs, [nested(inputs), conv(inputs)]), "norm")
    checked(keras.Model(inputs, [nested(inputs), nested(theirs.ReLU()(inputs))]))


def test_what_is_called_as_in_training_stays():
    inputs = keras.Input((9, 8, 4))
    conv = theirs.Conv2D(4, 3)(inputs)
    norm = theirs.BatchNormalization(name="norm")(conv, training=True)
    dropout = theirs.Dropout(0.5, name="dropout")(norm, training=True)
    folded = fold_batch_normalization(keras.Model(inputs, dropout))
    assert {"norm", "dropout"} < {layer.name for layer in folded.layers}
    nested = chain(
        theirs.Conv2D(4, 3), theirs.BatchNormalization(name="inner"), theirs.Dropout(0.5)
    )
    folded = fold_batch_normalization(keras.Model(inputs, nested(inputs, training=True)))
    assert len(layers_of(folded)) == 4
    checked(keras.Model(inputs, nested(inputs, training=False)))


def test_what_does_something_at_inference_stays():
    model = chain(
        ours.Dropout(0.25, mode="classic"),
        ours.StochasticDepth(0.5, mode="classic"),
        theirs.GaussianDropout(0.5),
        ours.DropBlock2D(0.5, 3),
    )
    folded = checked(model)
    assert [type(layer) for layer in folded.layers] == [ours.Dropout, ours.StochasticDepth]


def test_models_of_which_nothing_is_left():
    inputs = keras.Input((4,))
    nested = keras.Sequential([keras.Input((4,)), theirs.Dropout(0.5)])
    for x in (theirs.Dropout(0.5)(inputs), nested(inputs), nested(inputs) + 1.0):
        checked(keras.Model(inputs, x))
    checked(nested)


def test_half_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = chain(theirs.Conv2D(8, 3), theirs.BatchNormalization(), theirs.ReLU())
    finally:
        keras.config.set_dtype_policy("float32")
    folded = fold_batch_normalization(randomized(model))
    assert left(folded) == []
    assert folded.layers[0].compute_dtype == "bfloat16"
    assert_same_outputs(model, folded, tolerance=0.03)
    model = chain(
        theirs.Conv2D(8, 3, dtype="mixed_bfloat16"), theirs.BatchNormalization(name="float32")
    )
    assert left(fold_batch_normalization(model)) == ["float32"]  # whose output is more precise


@pytest.mark.parametrize(
    ("name", "remain"),
    [
        pytest.param("ResNet50", 0, marks=pytest.mark.nightly),  # by day, our own
        ("MobileNetV2", 0),
        pytest.param("DenseNet121", 62, marks=pytest.mark.nightly),  # those after a concatenation
        pytest.param("EfficientNetB0", 0, marks=pytest.mark.nightly),
    ],
)
def test_networks_of_keras(name, remain):
    model = application(name)
    folded = fold_batch_normalization(model)
    assert len(left(folded)) == remain
    assert_same_outputs(model, folded)
    if name == "ResNet50":
        before, after = (
            sum(bool(layer.weights) for layer in either.layers) for either in (model, folded)
        )
        assert (before, after) == (107, 54)


def test_nested_and_shared_parts_keras_and_ours():
    for model in (resnext(), accelerate(resnext())):
        folded = fold_batch_normalization(model)
        assert left(folded) == []
        assert_same_outputs(model, folded)
        assert [layer.name for layer in folded.layers if layer.weights] == [
            "stem",
            "shared",
            "nested",
            "logits",
        ]


def is_kernel(layer):
    return hasattr(layer, "kernel") or hasattr(layer, "depthwise_kernel")


def check_registered(model):
    """Layers are called once in these models, so that their first input is all there is to know."""
    folded = fold_batch_normalization(randomized(model))
    assert_same_outputs(model, folded)
    readers, makers = {}, {}
    for operation in folded.operations:
        for x in keras.tree.flatten(operation.output):
            makers[id(x)] = operation
        if not isinstance(operation, theirs.InputLayer):
            for x in keras.tree.flatten(operation.input):
                readers.setdefault(id(x), []).append(operation)
    for layer in folded.layers:
        assert "dropout" not in type(layer).__name__.lower()
        if isinstance(layer, NORMALIZATIONS):
            x = layer.input
            assert not is_kernel(makers[id(x)]) or readers[id(x)] != [layer], layer.name
            assert not all(map(is_kernel, readers[id(layer.output)])), layer.name
    return folded


@pytest.mark.parametrize("name", every_night(sorted(of_each_kind()), few()))
def test_one_model_of_each_family(name):
    check_registered(small(name))


@pytest.mark.nightly
@pytest.mark.parametrize("name", list_models())
def test_every_registered_model(name):
    # Small images, also because SegNet passes on the places of maxima: among millions of them, some
    # are so near to others that rounding decides.
    size = [SIZES.get(name, 32)] * 2 if model_info(name).task == "classification" else (32, 48)
    channels = model_info(name).input_shape[-1]
    model = create_model(name, (*size, channels))
    folded = check_registered(model)
    if name == "resnet50":
        assert sum(bool(layer.weights) for layer in folded.layers) == 54
