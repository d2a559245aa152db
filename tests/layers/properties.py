"""Cases that Hypothesis chooses, always the same, and the comparison of an op with loops."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.layers.images import in_data_format

BACKEND = keras.backend.backend()
# JAX computes in float64 only when told to.
DTYPES = ["float32", "float16", "bfloat16"] + (["float64"] if BACKEND != "jax" else [])
# On PyTorch, constants such as `beta` pass through float32.
TOLERANCE = {
    "float64": 1e-10 if BACKEND == "tensorflow" else 1e-7,
    "float32": 1e-4,
    "float16": 1e-2,
    "bfloat16": 8e-2,
}

cases = settings(
    # The same ops; the other backends show that Keras computes them alike. JAX compiles each case.
    max_examples={"tensorflow": 80, "torch": 20, "jax": 8}[BACKEND],
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

sizes = st.integers(1, 7)
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
data_formats = st.sampled_from(["channels_last", "channels_first"])
dtypes = st.sampled_from(DTYPES)
zeros = st.integers(0, 3)
paddings = st.one_of(
    st.sampled_from(["valid", "same"]),
    zeros,
    st.tuples(zeros, zeros),
    st.tuples(st.tuples(zeros, zeros), st.tuples(zeros, zeros)),
)
wrong_paddings = st.sampled_from(["sane", -1, (1,), (1, -2), ((1, 2), (3,)), 1.5, None])


def rounded(array, dtype):
    """Numbers that `dtype` has, in float64, in which the loops compute."""
    tensor = keras.ops.convert_to_tensor(array.astype("float32"), dtype=dtype)
    return keras.ops.convert_to_numpy(keras.ops.cast(tensor, "float32")).astype("float64")


def check(op, arrays, options, loops, dtype, last=(0,)):
    """Compares an op with loops, or its refusal of tensors with that of symbolic tensors.

    Args:
        op: function of tensors and `options`.
        arrays: list of arrays, images channels last.
        options: dict, with `data_format`.
        loops: function of the arrays, called if the op takes them.
        dtype: str.
        last: the positions of images in `arrays`.
    """
    view = in_data_format(options["data_format"])
    arrays = [rounded(array, dtype) for array in arrays]
    tensors = [
        keras.ops.convert_to_tensor(view(array) if i in last else array, dtype=dtype)
        for i, array in enumerate(arrays)
    ]
    symbols = [keras.KerasTensor(tuple(tensor.shape), dtype=dtype) for tensor in tensors]
    declared, sentence = None, None
    try:
        declared = op(*symbols, **options)
    except ValueError as error:
        sentence = str(error)
    if sentence:
        with pytest.raises(ValueError, match="got") as found:
            op(*tensors, **options)
        assert str(found.value) == sentence
        return
    results = op(*tensors, **options)
    expected = loops(*arrays)
    if not isinstance(results, tuple):
        results, declared, expected = [results], [declared], [expected]
    for result, spec, loop in zip(results, declared, expected, strict=True):
        assert tuple(result.shape) == tuple(spec.shape) == view(loop).shape
        assert keras.backend.standardize_dtype(result.dtype) == spec.dtype
        wide = "float64" if dtype == "float64" else "float32"
        found = keras.ops.convert_to_numpy(keras.ops.cast(result, wide)).astype("float64")
        scale = max(np.abs(loop).max(initial=0), 1)
        np.testing.assert_allclose(found, view(loop), atol=TOLERANCE[dtype] * scale, rtol=0)


def normal(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]
