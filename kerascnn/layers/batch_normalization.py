"""Batch normalization."""

from typing import Any

import keras
from keras import ops as kops

from kerascnn import ops
from kerascnn.geometry import WithoutProducts
from kerascnn.layers.fresh_initializer import fresh
from kerascnn.ops.empty_batch import holds_images
from kerascnn.ops.precision import widened
from kerascnn.ops.shapes import channel_axis


@keras.saving.register_keras_serializable(package="kerascnn")
class BatchNormalization(WithoutProducts, keras.layers.Layer):
    """Normalizes every channel to mean 0 and variance 1, then scales by gamma and shifts by beta.

    Drop-in replacement for `keras.layers.BatchNormalization`: same arguments, weights and results.
    In training, the statistics are computed over the mini-batch of `m` values per channel,

        mean     = 1 / m * sum_i x[i]
        variance = 1 / m * sum_i (x[i] - mean)**2
        y        = gamma * (x - mean) / sqrt(variance + epsilon) + beta
        moving_mean     = momentum * moving_mean     + (1 - momentum) * mean
        moving_variance = momentum * moving_variance + (1 - momentum) * variance

    and gradients flow through them. At inference, `y` is computed from the moving averages, so that
    the output for one image does not depend on the other images in its batch. A layer with
    `trainable=False` runs in inference mode, whatever `training` is.

    Args:
        axis: int, the channel axis; 1 after a convolution with channels first.
        momentum: float, momentum of the moving averages.
        epsilon: float, added to the variance.
        center: bool, whether to use `beta`.
        scale: bool, whether to use `gamma`. Without it, `gamma` is 1, which costs nothing before a
            ReLU, because the next layer can scale too.
        beta_initializer: initializer of `beta`.
        gamma_initializer: initializer of `gamma`.
        moving_mean_initializer: initializer of `moving_mean`.
        moving_variance_initializer: initializer of `moving_variance`.
        beta_regularizer: optional regularizer of `beta`.
        gamma_regularizer: optional regularizer of `gamma`.
        beta_constraint: optional constraint on `beta`.
        gamma_constraint: optional constraint on `gamma`.
        renorm: bool, whether to train with batch renormalization, which corrects the normalized
            values towards the moving statistics, by factors without gradient.
        renorm_clipping: optional dict with any of `"rmin"`, `"rmax"`, `"dmax"`, the limits of the
            corrections.
        renorm_momentum: float, momentum of the statistics for the corrections.
        synchronized: bool, whether the replicas of a `tf.distribute` strategy share their
            statistics; TensorFlow only.
        **kwargs: `name`, `dtype` and so on.

    Call arguments:
        inputs: float tensor of any rank.
        training: bool, whether to use the statistics of the mini-batch.
        mask: optional tensor of the shape of the input without its last axis; positions where it is
            false are left out of the statistics.

    Input shape:
        any; the size of `axis` must be known.

    Output shape:
        the same as the input shape.

    Raises:
        ValueError: if `axis` is not an axis of the input, `mask` has the wrong rank, or a renorm
            limit is invalid.

    Reference:
        [Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167); batch renormalization:
        [Ioffe, 2017](https://arxiv.org/abs/1702.03275)

    Example:
        >>> import keras
        >>> import kerascnn
        >>> layer = kerascnn.layers.BatchNormalization(epsilon=0.0)
        >>> y = layer(keras.ops.array([[1.0], [3.0]]), training=True)
        >>> keras.ops.convert_to_numpy(y).tolist()
        [[-1.0], [1.0]]
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: dict[str, float] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if synchronized and keras.backend.backend() != "tensorflow":
            raise ValueError(
                "`synchronized` can be True only on the TensorFlow backend; "
                f"got synchronized=True on {keras.backend.backend()}."
            )
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.moving_mean_initializer = keras.initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = keras.initializers.get(moving_variance_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.renorm = renorm
        self.renorm_clipping = _checked_clipping(renorm_clipping) if renorm else renorm_clipping
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized
        self.supports_masking = True
        self.gamma = None
        self.beta = None

    def build(self, input_shape: Any) -> None:
        axis = channel_axis(input_shape, self.axis)
        channels = input_shape[axis]
        if self.scale:
            self.gamma = self._add_parameter(
                "gamma",
                channels,
                self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
            )
        if self.center:
            self.beta = self._add_parameter(
                "beta",
                channels,
                self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
            )
        self.moving_mean = self._add_statistic(
            "moving_mean", channels, self.moving_mean_initializer
        )
        self.moving_variance = self._add_statistic(
            "moving_variance", channels, self.moving_variance_initializer
        )
        if self.renorm:
            # The inference statistics average the deviation, as in the paper; the corrections of
            # training use a separate pair, with its own momentum.
            self.moving_stddev = self._add_statistic("moving_stddev", channels, self._stddev)
            self.renorm_mean = self._add_statistic(
                "renorm_mean", channels, fresh(self.moving_mean_initializer)
            )
            self.renorm_stddev = self._add_statistic("renorm_stddev", channels, self._stddev)
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape), axes={axis: channels})

    def _add_parameter(self, name, channels, initializer, **kwargs):
        return self.add_weight(
            name=name, shape=(channels,), initializer=initializer, autocast=False, **kwargs
        )

    def _add_statistic(self, name, channels, initializer):
        return self._add_parameter(name, channels, initializer, trainable=False)

    def _stddev(self, shape, dtype=None):
        return kops.sqrt(fresh(self.moving_variance_initializer)(shape, dtype=dtype))

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if mask is not None and len(mask.shape) != len(inputs.shape) - 1:
            raise ValueError(
                "`mask` must have one axis less than the input; "
                f"got mask shape {tuple(mask.shape)} with input shape {tuple(inputs.shape)}."
            )
        if not (training and self.trainable):
            outputs = self._normalize(
                inputs,
                self.moving_mean,
                self.moving_variance,
                self.gamma,
                self.beta,
                constant_statistics=True,
            )
            return kops.cast(outputs, self.compute_dtype)
        # A batch without images has no statistics, and does not change the moving statistics.
        present = self.synchronized or holds_images(inputs)
        if self.renorm:
            mean, variance = self._moments(inputs, mask)
            gamma, beta = self._renormalized(mean, variance)
            outputs = self._normalize(inputs, mean, variance, gamma, beta)
            self._update_renorm_statistics(mean, variance, present)
        else:
            if mask is None and not self.synchronized:
                outputs, mean, variance = ops.batch_normalization(
                    inputs, self.gamma, self.beta, self.axis, self.epsilon
                )
            else:
                mean, variance = self._moments(inputs, mask)
                outputs = self._normalize(inputs, mean, variance, self.gamma, self.beta)
            _move(self.moving_mean, mean, self.momentum, present)
            _move(self.moving_variance, variance, self.momentum, present)
        return kops.cast(outputs, self.compute_dtype)

    def _moments(self, inputs, mask):
        return ops.moments(inputs, self.axis, mask, self.synchronized)

    def _normalize(self, inputs, mean, variance, gamma, beta, constant_statistics=False):
        return ops.normalize(
            inputs, mean, variance, gamma, beta, self.axis, self.epsilon, constant_statistics
        )

    def _renormalized(self, mean, variance):
        """Returns gamma and beta with the corrections `r` and `d` of batch renormalization.

        `gamma * (x_hat * r + d) + beta = (gamma * r) * x_hat + (gamma * d + beta)`, where `x_hat`
        is `x` normalized by the mini-batch.
        """
        limits = self.renorm_clipping
        stddev = kops.sqrt(variance + self.epsilon)
        renorm_stddev = kops.maximum(widened(self.renorm_stddev), self.epsilon**0.5)
        r = kops.clip(stddev / renorm_stddev, limits.get("rmin", 0.0), limits.get("rmax", _INF))
        dmax = limits.get("dmax", _INF)
        d = kops.clip((mean - widened(self.renorm_mean)) / renorm_stddev, -dmax, dmax)
        r, d = kops.stop_gradient(r), kops.stop_gradient(d)
        gamma = r if self.gamma is None else widened(self.gamma) * r
        beta = d if self.gamma is None else widened(self.gamma) * d
        return gamma, beta if self.beta is None else beta + widened(self.beta)

    def _update_renorm_statistics(self, mean, variance, present):
        stddev = kops.sqrt(variance + self.epsilon)
        _move(self.renorm_mean, mean, self.renorm_momentum, present)
        _move(self.renorm_stddev, stddev, self.renorm_momentum, present)
        _move(self.moving_mean, mean, self.momentum, present)
        _move(self.moving_stddev, stddev, self.momentum, present)
        variance = kops.square(widened(self.moving_stddev)) - self.epsilon
        _assign(self.moving_variance, kops.maximum(variance, 0.0))

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        channel_axis(input_shape, self.axis)
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": keras.initializers.serialize(self.moving_mean_initializer),
            "moving_variance_initializer": keras.initializers.serialize(
                self.moving_variance_initializer
            ),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": self.synchronized,
        }


_INF = float("inf")
_FLOAT16_MAX = 65504.0


def _move(average, value, momentum, present=True):
    """Updates a moving average, if a value is present."""
    past = kops.cast(average, value.dtype)
    moved = momentum * past + (1.0 - momentum) * value
    _assign(average, moved if present is True else kops.where(present, moved, past))


def _assign(statistic, value):
    """Assigns a value to a statistic, which is at most 65504 in float16."""
    if statistic.dtype == "float16":
        value = kops.clip(value, -_FLOAT16_MAX, _FLOAT16_MAX)
    statistic.assign(kops.cast(value, statistic.dtype))


def _checked_clipping(clipping):
    clipping = {key: limit for key, limit in (clipping or {}).items() if limit is not None}
    unknown = set(clipping) - {"rmin", "rmax", "dmax"}
    if unknown:
        # These three messages begin like Keras's own.
        raise ValueError(
            "Received invalid keys for `renorm_clipping`; allowed are 'rmin', 'rmax', 'dmax'; "
            f"got renorm_clipping={clipping}."
        )
    if clipping.get("rmax", _INF) < clipping.get("rmin", 0.0):
        raise ValueError(
            f"rmax should be at least rmin in `renorm_clipping`; got renorm_clipping={clipping}."
        )
    if clipping.get("dmax", 0.0) < 0:
        raise ValueError(
            f"dmax should be non-negative in `renorm_clipping`; got renorm_clipping={clipping}."
        )
    return clipping
