import functools

import keras
import numpy as np
import pytest

from kerascnn import ops, reference
from kerascnn.layers import BatchNormalization
from tests import fresh_process
from tests.gradients import value_and_gradients
from tests.layers.check_layer import check_layer

BACKEND = keras.backend.backend()
SHAPES = {
    "vectors": (8, 3),
    "sequences": (4, 5, 3),
    "images": (2, 4, 5, 3),
    "videos": (2, 3, 4, 2, 3),
}


def random_case(shape):
    rng = np.random.default_rng(0)
    x = rng.normal(loc=5.0, scale=3.0, size=shape).astype("float32")
    gamma, beta = rng.normal(size=(2, shape[-1])).astype("float32")
    dy = rng.normal(size=shape).astype("float32")
    return x, gamma, beta, dy


@pytest.mark.parametrize(
    "arguments",
    [{}, {"center": False}, {"scale": False, "epsilon": 1e-5}, {"renorm": True}],
)
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_contract(shape, arguments):
    check_layer(BatchNormalization, arguments, input_shape=shape, output_shape=shape)


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("first", [False, True], ids=["channels_last", "axis_1"])
def test_values_and_gradients_follow_the_formula(shape, first):
    x, gamma, beta, dy = random_case(shape)
    expected, mean, variance = reference.batch_normalization(x, gamma, beta)
    gradients = reference.batch_normalization_backward(dy, x, gamma)
    axis = 1 if first else -1
    move = (lambda a: np.moveaxis(a, -1, 1)) if first else np.asarray

    y, (dx, dgamma, dbeta) = value_and_gradients(
        lambda x, gamma, beta: ops.batch_normalization(x, gamma, beta, axis)[0],
        [move(x), gamma, beta],
        upstream=move(dy),
    )
    np.testing.assert_allclose(y, move(expected), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(dx, move(gradients[0]), rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(dgamma, gradients[1], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(dbeta, gradients[2], rtol=1e-3, atol=1e-4)

    _, batch_mean, batch_variance = ops.batch_normalization(move(x), axis=axis)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(batch_mean), mean, rtol=1e-5)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(batch_variance), variance, rtol=1e-4)


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
# Keras's mask has the shape of the input without its last axis: it goes with channels last.
@pytest.mark.parametrize(("axis", "masked"), [(-1, False), (-1, True), (1, False)])
def test_equals_keras_over_training_steps(shape, axis, epsilon, masked):
    rng = np.random.default_rng(0)
    arguments = {"axis": axis, "epsilon": epsilon, "momentum": 0.8}
    theirs, ours = keras.layers.BatchNormalization(**arguments), BatchNormalization(**arguments)
    mask = rng.uniform(size=shape[:-1]) > 0.3 if masked else None
    for layer in (theirs, ours):
        layer.build(shape)
    assert [w.path.split("/")[-1] for w in ours.weights] == [
        w.path.split("/")[-1] for w in theirs.weights
    ]
    theirs.set_weights([rng.uniform(0.5, 2, size=w.shape) for w in theirs.weights])
    ours.set_weights(theirs.get_weights())
    for training in (True, True, False):
        x = rng.normal(loc=3.0, scale=2.0, size=shape).astype("float32")
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours(x, training=training, mask=mask)),
            keras.ops.convert_to_numpy(theirs(x, training=training, mask=mask)),
            rtol=1e-4,
            atol=1e-4,
        )
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def in_training(layer, **kwargs):
    """The layer as a pure function of its input, in training; JAX asks for it stateless."""
    if keras.backend.backend() != "jax":
        return lambda x: layer(x, training=True, **kwargs)
    trainable = [v.value for v in layer.trainable_variables]
    fixed = [v.value for v in layer.non_trainable_variables]
    return lambda x: layer.stateless_call(trainable, fixed, x, training=True, **kwargs)[0]


@pytest.mark.parametrize("how", ["plain", "masked", "renorm"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_gradient_of_the_layer_equals_keras(shape, how):
    x, _, _, dy = random_case(shape)
    limits = {"rmax": 1.5, "rmin": 0.5, "dmax": 0.5}
    arguments = {"renorm": True, "renorm_clipping": limits} if how == "renorm" else {}
    mask = np.random.default_rng(1).uniform(size=shape[:-1]) > 0.3
    gradients = []
    for layer in (keras.layers.BatchNormalization(**arguments), BatchNormalization(**arguments)):
        layer.build(x.shape)
        layer.set_weights([np.full(w.shape, 0.7 + i) for i, w in enumerate(layer.weights)])
        call = in_training(layer, mask=mask) if how == "masked" else in_training(layer)
        gradients.append(value_and_gradients(call, [x], upstream=dy)[1][0])
    assert np.abs(gradients[0]).max() > 0.01
    np.testing.assert_allclose(gradients[1], gradients[0], rtol=1e-3, atol=1e-4)


def test_inference_uses_the_moving_statistics_alone():
    layer = BatchNormalization(epsilon=0.0)
    layer.build((None, 1))
    layer.set_weights([np.array([v], "float32") for v in (3.0, 1.0, 10.0, 4.0)])
    y = keras.ops.convert_to_numpy(layer(np.array([[10.0], [14.0]]), training=False))
    np.testing.assert_allclose(y, [[1.0], [7.0]])


def test_frozen_layer_is_in_inference_mode():
    layer = BatchNormalization()
    layer.build((None, 2))
    layer.trainable = False
    x = np.full((4, 2), 7.0, "float32")
    before = layer.get_weights()
    frozen, inference = layer(x, training=True), layer(x, training=False)
    np.testing.assert_array_equal(
        keras.ops.convert_to_numpy(frozen), keras.ops.convert_to_numpy(inference)
    )
    for a, b in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_statistics_are_float32_under_mixed_precision():
    # Squares of these values overflow float16.
    x = np.random.default_rng(0).normal(loc=0.0, scale=1000.0, size=(64, 4)).astype("float16")
    layer = BatchNormalization(dtype="mixed_float16", momentum=0.0)
    y = keras.ops.convert_to_numpy(layer(x, training=True))
    np.testing.assert_allclose(y.std(axis=0), 1.0, atol=0.01)
    variance = keras.ops.convert_to_numpy(layer.moving_variance)
    np.testing.assert_allclose(variance, x.astype("float64").var(axis=0), rtol=1e-3)


# JAX says that it takes float32 for float64, with Keras's layer too.
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype float64")
@pytest.mark.parametrize("axis", [1, -1])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_pure_precisions_equal_keras(dtype, axis):
    x = np.random.default_rng(0).normal(loc=1.0, size=(8, 4, 5)).astype("float32")
    layers = keras.layers.BatchNormalization, BatchNormalization
    for training in (True, False):
        theirs, ours = (layer(axis=axis, dtype=dtype)(x, training=training) for layer in layers)
        assert ours.dtype == theirs.dtype
        ours, theirs = (keras.ops.cast(y, "float32") for y in (ours, theirs))
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(ours), keras.ops.convert_to_numpy(theirs), atol=0.02
        )


@pytest.mark.parametrize("axis", [1, -1])
def test_integers_equal_keras(axis):
    x = np.arange(12, dtype="int32").reshape(4, 3)
    layers = keras.layers.BatchNormalization, BatchNormalization
    for training in (True, False):
        theirs, ours = (
            keras.ops.convert_to_numpy(layer(axis=axis)(x, training=training)) for layer in layers
        )
        np.testing.assert_allclose(ours, theirs, rtol=1e-5)


def test_a_single_value_per_channel():
    x = np.array([[3.0, -2.0]], "float32")
    y, mean, variance = ops.batch_normalization(x)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(y), [[0.0, 0.0]], atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(mean), [3.0, -2.0])
    np.testing.assert_allclose(keras.ops.convert_to_numpy(variance), [0.0, 0.0], atol=1e-6)


def test_wrong_axis_fails_alike_eagerly_and_symbolically():
    sentence = r"`axis` must name an axis of the input; got axis=4 with shape \(2, 3, 3, 1\)"
    with pytest.raises(ValueError, match=sentence):
        BatchNormalization(axis=4)(np.zeros((2, 3, 3, 1)))
    with pytest.raises(ValueError, match=sentence):
        BatchNormalization(axis=4)(keras.Input(batch_shape=(2, 3, 3, 1)))


def test_wrong_mask():
    with pytest.raises(ValueError, match=r"got mask shape \(2, 3, 1\) with input shape \(2, 3\)"):
        BatchNormalization()(np.zeros((2, 3)), mask=np.ones((2, 3, 1), bool))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="tf.distribute")
def test_synchronized_replicas_share_their_statistics():
    """Two replicas with half of the batch each: values and statistics of the whole batch."""
    code = """
import keras, numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from kerascnn.layers import BatchNormalization
x = np.random.default_rng(0).normal(3.0, 2.0, (8, 4, 5, 3)).astype("float32")
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    layer = BatchNormalization(synchronized=True)
    layer.build(x.shape)
halves = strategy.experimental_distribute_values_from_function(
    lambda context: tf.constant(np.split(x, 2)[context.replica_id_in_sync_group])
)
step = tf.function(lambda part: layer(part, training=True))
found = strategy.experimental_local_results(strategy.run(step, (halves,)))
whole = BatchNormalization()
expected = whole(x, training=True)
np.testing.assert_allclose(np.concatenate(found), expected, atol=1e-4)
np.testing.assert_allclose(layer.moving_mean.numpy(), whole.moving_mean.numpy(), atol=1e-5)
np.testing.assert_allclose(layer.moving_variance.numpy(), whole.moving_variance.numpy(), atol=1e-5)
"""
    fresh_process.output(code)


def rounded(x, dtype):
    """A tensor in a dtype, and what it holds in float64."""
    x = keras.ops.cast(x.astype("float32"), dtype)
    return x, np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(x, "float32")), "float64")


@functools.cache
def large_mean(deviations, dtype):
    """Images whose mean is so many standard deviations, gradients, and what the loops say."""
    rng = np.random.default_rng(0)
    x, exact = rounded(rng.normal(size=(64, 8, 8, 16)) + deviations, dtype)
    dy, exact_dy = rounded(rng.normal(size=x.shape), dtype)
    ones = np.ones(16)
    y, mean, variance = reference.batch_normalization(exact, ones, 0 * ones)
    gradients = reference.batch_normalization_backward(exact_dy, exact, ones)
    return x, dy, [y, *gradients, mean, variance]


def relative_error(found, expected):
    found = keras.ops.convert_to_numpy(keras.ops.cast(found, "float32")).astype("float64")
    return np.linalg.norm(found - expected) / np.linalg.norm(expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="eager, graph and XLA of TensorFlow")
@pytest.mark.parametrize(
    ("how", "dtype"),
    [
        ("fused", "float32"),
        ("fused", "bfloat16"),
        ("fused", "float16"),
        ("axis_1", "float32"),
        ("masked", "float32"),
        ("renorm", "float32"),
    ],
)
@pytest.mark.parametrize("mode", ["eager", "graph", "xla"])
def test_statistics_are_accurate_where_the_mean_is_large(mode, dtype, how):
    import tensorflow as tf

    wrapped = {
        "eager": lambda step: step,
        "graph": tf.function,
        "xla": lambda step: tf.function(step, jit_compile=True),
    }[mode]
    arguments = {"momentum": 0.0}
    arguments |= {"axis": 1} if how == "axis_1" else {}
    arguments |= {"renorm": True, "renorm_momentum": 0.0} if how == "renorm" else {}
    policy = dtype if dtype == "float32" else f"mixed_{dtype}"
    for deviations in (0, 10, 100, 1000, 10000) if how == "fused" else (0, 1000):
        x, dy, expected = large_mean(deviations, dtype)
        mean, variance = expected[-2:]
        if not variance.all():  # bfloat16 has one number only between 9952 and 10016
            continue
        errors = {}
        for name, cls in (("keras", keras.layers.BatchNormalization), ("ours", BatchNormalization)):
            layer = cls(**arguments, dtype=policy)
            move = (lambda a: tf.transpose(a, (0, 3, 1, 2))) if how == "axis_1" else tf.identity
            layer.build(move(x).shape)
            if how == "renorm":  # statistics for which the corrections do nothing
                layer.renorm_mean.assign(mean)
                layer.renorm_stddev.assign(np.sqrt(variance + layer.epsilon))
            mask = tf.ones(x.shape[:-1], "bool") if how == "masked" else None

            def step(x, dy, layer=layer, mask=mask):
                weights = [layer.gamma.value, layer.beta.value]
                with tf.GradientTape() as tape:
                    tape.watch(x)
                    y = layer(x, training=True, mask=mask)
                return [y, *tape.gradient(y, [x, *weights], output_gradients=dy)]

            found = wrapped(step)(move(x), move(dy))
            if how == "axis_1":
                found[:2] = [tf.transpose(a, (0, 2, 3, 1)) for a in found[:2]]
            found += [layer.moving_mean, layer.moving_variance]
            names = ["y", "dx", "dgamma", "dbeta", "mean", "variance"]
            errors[name] = dict(zip(names, map(relative_error, found, expected), strict=True))
        # float32 holds the mean to one part in ten million: so far y and dgamma may be off.
        offset = 2e-6 * deviations / np.sqrt(variance.min())
        output = {"float32": 1e-6, "float16": 5e-4, "bfloat16": 4e-3}[dtype]
        limits = {"y": output + offset, "dx": output + offset, "dgamma": 3e-5 + offset}
        limits |= {"dbeta": 1e-5, "mean": 1e-5, "variance": 3e-5 + offset**2}
        if deviations == 0:
            limits["mean"] = 1e-3
        worst = {key: max(limit, errors["keras"][key]) for key, limit in limits.items()}
        wrong = {key: error for key, error in errors["ours"].items() if error > worst[key]}
        assert not wrong, (deviations, worst)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="auto-clustering of TensorFlow")
def test_statistics_are_accurate_where_xla_may_choose_to_compile():
    import tensorflow as tf

    from kerascnn.backend import batch_normalization as kernel

    x = tf.zeros((2, 3, 3, 4))
    assert kernel.is_fused_in_training(x, 3)
    tf.config.optimizer.set_jit("autoclustering")
    try:
        assert not kernel.is_fused_in_training(x, 3)
    finally:
        tf.config.optimizer.set_jit(False)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="replicas of TensorFlow")
def test_synchronized_statistics_are_accurate_where_the_mean_is_large():
    x = np.random.default_rng(0).normal(size=(16, 8, 8, 4)).astype("float32") + 1000
    mean, variance = ops.moments(x, synchronized=True)
    exact = x.astype("float64")
    np.testing.assert_allclose(mean, exact.mean((0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(variance, exact.var((0, 1, 2)), rtol=1e-5)


@pytest.mark.parametrize("renorm", [False, True])
def test_statistics_in_float16_stay_finite(renorm):
    layer = BatchNormalization(momentum=0.5, dtype="float16", renorm=renorm)
    x = 300 * np.random.default_rng(0).normal(size=(64, 4, 4, 2)).astype("float16")
    for _ in range(20):
        layer(x, training=True)
    # The variance is 90000, and float16 ends at 65504.
    assert keras.ops.convert_to_numpy(layer.moving_variance).tolist() == [65504, 65504]
    y = keras.ops.convert_to_numpy(layer(x, training=False)).astype("float32")
    assert 1 < y.std() < 300 / 65504**0.5 * 1.1


@pytest.mark.parametrize("arguments", [{}, {"axis": 1}, {"renorm": True}])
def test_a_batch_without_images_leaves_the_statistics_as_they_are(arguments):
    layer = BatchNormalization(**arguments)
    layer.build((None, 4, 4, 4))
    rng = np.random.default_rng(0)
    layer.set_weights([rng.uniform(1, 2, size=weight.shape) for weight in layer.weights])
    # With renorm, the moving variance is that of the moving deviation.
    layer.moving_variance.assign(getattr(layer, "moving_stddev", layer.gamma) ** 2 - layer.epsilon)
    before = layer.get_weights()
    assert tuple(layer(np.zeros((0, 4, 4, 4), "float32"), training=True).shape) == (0, 4, 4, 4)
    for now, then in zip(layer.get_weights(), before, strict=True):
        np.testing.assert_allclose(now, then, rtol=1e-6)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="replicas of TensorFlow")
def test_synchronized_statistics_outside_of_replicas_are_those_of_the_batch():
    """As when a subclassed model is built by a call in the scope of a strategy."""
    import tensorflow as tf

    x = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    with tf.distribute.MirroredStrategy(["CPU:0"]).scope():
        layer = BatchNormalization(synchronized=True)
        y = layer(x, training=True)
    expected = (x - x.mean(axis=0)) / np.sqrt(x.var(axis=0) + 1e-3)
    np.testing.assert_allclose(y, expected, atol=1e-5)
    np.testing.assert_allclose(layer.moving_mean, 0.01 * x.mean(axis=0), atol=1e-6)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="replicas of TensorFlow")
def test_a_replica_without_images_leaves_the_statistics_finite(tmp_path):
    # Devices must be made before TensorFlow starts.
    program = """
import numpy as np, tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
import keras, kerascnn
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = keras.Sequential(
        [keras.Input((4, 4, 3)), kerascnn.layers.BatchNormalization(), keras.layers.Flatten()]
    )
    model.compile("sgd", "mse")
data = tf.data.Dataset.from_tensor_slices((np.ones((5, 4, 4, 3)), np.zeros((5, 48)))).batch(4)
model.fit(data, epochs=2, verbose=0)
for weight in model.get_weights():
    assert np.isfinite(weight).all(), model.get_weights()
"""
    fresh_process.output(program)
