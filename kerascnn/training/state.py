"""The state of a training, as arrays and facts: of its model, and of its callbacks."""

import inspect
import random

import keras
import numpy as np

from kerascnn.arguments import UsageError

_KINDS = ("model", "optimizer", "metrics")
# The key of a dict that stands for an array
_ARRAY = "__array__"


def model_state(model):
    """Returns all variables of a compiled model as `{name: numpy array}`.

    Weights, the states of `SeedGenerator`, the variables of the optimizer with its moving averages,
    and what losses and metrics have summed up so far.
    """
    if keras.backend.backend() == "jax":
        model.jax_state_sync()  # within an epoch, Keras keeps the variables elsewhere
    return {
        f"{kind}/{number}": np.array(keras.ops.convert_to_numpy(variable))
        for kind in _KINDS
        for number, variable in enumerate(_variables(model, kind))
    }


def restore_model(model, arrays, path, kinds=_KINDS):
    """Sets the variables of a compiled model.

    Args:
        model: `keras.Model`.
        arrays: what `model_state` returned.
        path: path of the checkpoint, for the error.
        kinds: which variables: `"model"`, `"optimizer"`, `"metrics"`.

    Raises:
        UsageError: if the checkpoint is that of another model or optimizer; nothing is set then.
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
                f"{path} is the checkpoint of another training: it has {count} variables of the "
                f"{kind}, and this one has {len(variables)}; choose another folder."
            )
        for variable, value in zip(variables, values, strict=True):
            if tuple(variable.shape) != value.shape:
                raise UsageError(
                    f"{path} is the checkpoint of another training: {variable.path} has the shape "
                    f"{value.shape} there and {tuple(variable.shape)} here; choose another folder."
                )
            found.append((variable, value))
    for variable, value in found:
        variable.assign(value)


def number_of(arrays, kind):
    """Returns how many variables of a kind a state has."""
    return sum(name.startswith(f"{kind}/") for name in arrays)


def is_finite(model):
    """Returns whether all weights that are trained are numbers."""
    if keras.backend.backend() == "jax":
        model.jax_state_sync()
    return all(
        np.isfinite(np.asarray(keras.ops.convert_to_numpy(variable), np.float32)).all()
        for variable in model.trainable_variables
    )


def has_metrics(model, arrays):
    """Returns whether the metrics have variables yet: Keras may make them at the first step."""
    return len(model.metrics_variables) == number_of(arrays, "metrics")


def _variables(model, kind):
    if kind == "model":
        return model.variables
    return model.optimizer.variables if kind == "optimizer" else model.metrics_variables


def callback_state(callback):
    """Returns what a callback knows, as a dict.

    That is what its method `resume_state()` returns, or else all attributes that are numbers,
    texts, arrays, or lists and dicts of those, but for the arguments of its constructor: what
    `EarlyStopping`, `ReduceLROnPlateau`, `ModelCheckpoint` and `SwapEMAWeights` have.
    """
    if hasattr(callback, "resume_state"):
        return callback.resume_state()
    # Of its settings, `EarlyStopping` changes the sign of one when the first epoch ends.
    settings = {*inspect.signature(type(callback).__init__).parameters, "params"}
    known = {name: value for name, value in vars(callback).items() if name not in settings}
    return {name: value for name, value in known.items() if _is_plain(value)}


def restore_callback(callback, state):
    """Gives a callback what `callback_state` returned, by its method `resume_from` if it has it."""
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
    """Returns a value as JSON has it; arrays in it go into a dict.

    Args:
        value: numbers, texts, arrays, and lists and dicts of those.
        arrays: dict to which the arrays are added.
        name: str, the beginning of their names.
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


def unpacked(value, arrays):
    """Returns what `packed` was given; tuples are lists."""
    if isinstance(value, dict):
        if value.keys() == {_ARRAY}:
            return np.array(arrays[value[_ARRAY]])
        return {key: unpacked(item, arrays) for key, item in value.items()}
    if isinstance(value, list):
        return [unpacked(item, arrays) for item in value]
    return value


def random_state():
    """Returns the states of Python's and NumPy's own generators, which pipelines may draw from."""
    version, numbers, spare = random.getstate()
    _, keys, place, has_spare, other = np.random.get_state()
    return {
        "python": [version, np.array(numbers, np.uint64), spare],
        "numpy": [np.array(keys, np.uint32), place, has_spare, other],
    }


def restore_random(state):
    """Sets the states of Python's and NumPy's own generators."""
    version, numbers, spare = state["python"]
    random.setstate((version, tuple(map(int, numbers)), spare))
    keys, place, has_spare, other = state["numpy"]
    np.random.set_state(("MT19937", keys, place, has_spare, other))
