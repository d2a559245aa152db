"""The state of a training: of its model, and of its callbacks."""

import inspect
import random
from typing import Any

import keras
import numpy as np

from kerascnn.arguments import UsageError

_KINDS = ("model", "optimizer", "metrics")
# The key of a dict that represents an array
_ARRAY = "__array__"


def model_state(model):
    """Returns all variables of a compiled model as `{name: numpy array}`.

    These are the weights, the states of `SeedGenerator`, the variables of the optimizer with its
    moving averages, and the sums of losses and metrics.
    """
    if keras.backend.backend() == "jax":
        model.jax_state_sync()  # within an epoch, Keras keeps the variables outside of the model
    return {
        f"{kind}/{number}": np.array(keras.ops.convert_to_numpy(variable))
        for kind in _KINDS
        for number, variable in enumerate(_variables(model, kind))
    }


def restore_model(model, arrays, path, kinds=_KINDS):
    """Sets the variables of a compiled model.

    Args:
        model: `keras.Model`.
        arrays: dict that `model_state` returned.
        path: path of the checkpoint, for the error message.
        kinds: kinds of variables to set: `"model"`, `"optimizer"`, `"metrics"`.

    Raises:
        UsageError: if the checkpoint belongs to another model or optimizer; then nothing is set.
    """
    if "optimizer" in kinds:
        model.optimizer.build(model.trainable_variables)
    found = []
    for kind in kinds:
        variables = _variables(model, kind)
        values = [arrays.get(f"{kind}/{number}") for number in range(len(variables))]
        count = number_of(arrays, kind)
        if count != len(variables):
            raise UsageError(
                f"{path} belongs to another training: it has {count} variables of the "
                f"{kind}, and this one has {len(variables)}; choose another folder."
            )
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise UsageError(
                    f"{path} belongs to another training: {variable.path} has the shape "
                    f"{value.shape} there and {tuple(variable.shape)} here; choose another folder."
                )
            found.append((variable, value))
    for variable, value in found:
        variable.assign(value)


def number_of(arrays, kind):
    """Returns the number of variables of a kind in a state."""
    return sum(name.startswith(f"{kind}/") for name in arrays)


def is_finite(model):
    """Returns whether all trainable weights are finite."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    return all(
        np.isfinite(np.asarray(keras.ops.convert_to_numpy(variable), np.float32)).all()
        for variable in model.trainable_variables
    )


def has_metrics(model, arrays):
    """Returns whether the metrics have variables, which Keras may create in the first step."""
    return len(model.metrics_variables) == number_of(arrays, "metrics")


def _variables(model, kind):
    if kind == "model":
        return model.variables
    return model.optimizer.variables if kind == "optimizer" else model.metrics_variables


def callback_state(callback):
    """Returns the state of a callback as a dict.

    This is the return value of its method `resume_state()`, or else all attributes that are
    numbers, strings, arrays, or lists and dicts of them, except constructor arguments: enough for
    `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint` and `SwapEMAWeights`.
    """
    if hasattr(callback, "resume_state"):
        return callback.resume_state()
    # `EarlyStopping` changes the sign of one of its settings when the first epoch ends.
    settings = {*inspect.signature(type(callback).__init__).parameters, "params"}
    known = {name: value for name, value in vars(callback).items() if name not in settings}
    return {name: value for name, value in known.items() if _is_plain(value)}


def restore_callback(callback, state):
    """Restores the state of a callback, with its method `resume_from` if it has one."""
    if hasattr(callback, "resume_from"):
        callback.resume_from(state)
    else:
        vars(callback).update(state)


def _is_plain(value):
    if isinstance(value, dict):
        return all(isinstance(key, str) and _is_plain(item) for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, (bool, int, float, str, np.generic, np.ndarray))


def packed(value, arrays, name):
    """Converts a value to JSON types, and moves its arrays to a dict.

    Args:
        value: numbers, strings, arrays, or lists and dicts of them.
        arrays: dict to which the arrays are added.
        name: str, prefix of the names of the arrays.
    """
    if isinstance(value, np.ndarray):
        arrays[name] = value
        return {_ARRAY: name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {key: packed(item, arrays, f"{name}/{key}") for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [packed(item, arrays, f"{name}/{i}") for i, item in enumerate(value)]
    return value


def unpacked(value, arrays) -> Any:
    """Reverses `packed`; tuples become lists."""
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return np.array(arrays[value[_ARRAY]])
        return {key: unpacked(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [unpacked(item, arrays) for item in value]
    return value


def random_state():
    """Returns the states of Python's and NumPy's global generators, which pipelines may use."""
    version, numbers, spare = random.getstate()
    _, keys, place, has_spare, other = np.random.get_state()
    return {
        "python": [version, np.array(numbers, np.uint64), spare],
        "numpy": [np.array(keys, np.uint32), place, has_spare, other],
    }


def restore_random(state):
    """Restores the states of Python's and NumPy's global generators."""
    version, numbers, spare = state["python"]
    random.setstate((version, tuple(map(int, numbers)), spare))
    keys, place, has_spare, other = state["numpy"]
    np.random.set_state(("MT19937", keys, place, has_spare, other))
