"""Ops on many shapes and arguments, right and wrong ones: the same as loops, the same sentence.

Hypothesis chooses the cases, the same ones in every run.
"""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kerascnn import filters, ops, reference
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
    # The same ops; the other backends show that Keras computes them alike.
    max_examples=80 if BACKEND == "tensorflow" else 20,
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


@cases
@given(
    size=st.tuples(sizes, sizes),
    kernel=pairs,
    groups=st.integers(1, 4),
    per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=st.one_of(pairs, pairs, st.just((0, 1))),
    dilation=pairs,
    padding=paddings,
    data_format=data_formats,
    dtype=dtypes,
    wrong=st.one_of(st.just({}), st.fixed_dictionaries({"padding": wrong_paddings})),
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_group_conv2d(
    size, kernel, groups, per_group, strides, dilation, padding, data_format, dtype, wrong, extra
):
    inputs, outputs = per_group
    arrays = normal(0, (2, *size, groups * inputs), (*kernel, inputs, groups * outputs + extra))
    options = {
        "strides": strides,
        "padding": padding,
        "data_format": data_format,
        "dilation_rate": dilation,
        **wrong,
    }
    check(
        ops.group_conv2d,
        arrays,
        options,
        lambda x, kernel: reference.group_conv2d(x, kernel, strides, padding, dilation),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    kernel=pairs,
    channels=st.integers(1, 5),
    depth_multiplier=st.integers(1, 3),
    strides=pairs,
    dilation=pairs,
    padding=paddings,
    data_format=data_formats,
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_depthwise_conv2d(
    size, kernel, channels, depth_multiplier, strides, dilation, padding, data_format, dtype, extra
):
    check(
        ops.depthwise_conv2d,
        normal(0, (2, *size, channels), (*kernel, channels + extra, depth_multiplier)),
        {
            "strides": strides,
            "padding": padding,
            "data_format": data_format,
            "dilation_rate": dilation,
        },
        lambda x, kernel: reference.depthwise_conv2d(x, kernel, strides, padding, dilation),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    kernel=pairs,
    channels=st.integers(1, 3),
    filters=st.integers(1, 3),
    strides=pairs,
    padding=paddings,
    data_format=data_formats,
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_separable_conv2d(
    size, kernel, channels, filters, strides, padding, data_format, dtype, extra
):
    check(
        ops.separable_conv2d,
        normal(
            0, (2, *size, channels), (*kernel, channels, 2), (1, 1, 2 * channels + extra, filters)
        ),
        {"strides": strides, "padding": padding, "data_format": data_format},
        lambda x, *kernels: reference.separable_conv2d(x, *kernels, strides, padding),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    kernel=pairs,
    groups=st.integers(1, 3),
    per_group=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    strides=pairs,
    dilation=st.one_of(st.just((1, 1)), pairs),
    padding=paddings,
    output_padding=st.one_of(st.none(), st.tuples(st.integers(-1, 2), st.integers(0, 2))),
    data_format=data_formats,
    dtype=dtypes,
    portable=st.booleans(),
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_conv_transpose2d(
    size,
    kernel,
    groups,
    per_group,
    strides,
    dilation,
    padding,
    output_padding,
    data_format,
    dtype,
    portable,
    extra,
):
    inputs, outputs = per_group
    check(
        ops.conv_transpose2d,
        normal(0, (2, *size, groups * inputs), (*kernel, outputs, groups * inputs + extra)),
        {
            "strides": strides,
            "padding": padding,
            "output_padding": output_padding,
            "data_format": data_format,
            "dilation_rate": dilation,
            "groups": groups,
            "portable": portable,
        },
        lambda x, kernel: reference.conv_transpose2d(
            x, kernel, strides, padding, output_padding, dilation, groups
        ),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    block=pairs,
    channels=st.integers(1, 3),
    mode=st.sampled_from(["DCR", "CRD", "RDC"]),
    data_format=data_formats,
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_pixel_shuffle_and_unshuffle(size, block, channels, mode, data_format, dtype, extra):
    options = {"block_size": block, "mode": mode, "data_format": data_format}
    packed = channels * block[0] * block[1] + extra
    check(
        ops.pixel_shuffle,
        normal(0, (2, *size, packed)),
        options,
        lambda x: reference.pixel_shuffle(x, *block, mode),
        dtype,
    )
    spread = (2, size[0] * block[0], size[1] * block[1] + extra, channels)
    check(
        ops.pixel_unshuffle,
        normal(0, spread),
        options,
        lambda x: reference.pixel_unshuffle(x, *block, mode),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    pool_size=pairs,
    strides=st.one_of(st.none(), pairs),
    padding=st.sampled_from(["valid", "same", "full"]),
    data_format=data_formats,
    dtype=dtypes,
)
def test_max_pool_with_argmax2d_and_max_unpool2d(
    size, pool_size, strides, padding, data_format, dtype
):
    # Whole numbers that every dtype has, each once: no two pixels are equal.
    image = np.random.default_rng(0).permutation(2 * size[0] * size[1] * 3) - 126.0
    image = image.reshape(2, *size, 3)
    options = {"pool_size": pool_size, "padding": padding, "data_format": data_format}
    check(
        ops.max_pool_with_argmax2d,
        [image],
        {**options, "strides": strides},
        lambda x: reference.max_pool2d(x, pool_size, strides, padding),
        dtype if dtype != "bfloat16" else "float32",
    )
    if padding == "full" or (padding == "valid" and any(np.less(size, pool_size))):
        return
    pooled, indices = reference.max_pool2d(image, pool_size, None, padding)
    view = in_data_format(data_format)

    def unpool(x, like, data_format):
        places = view(indices).astype("int32")
        if isinstance(x, keras.KerasTensor):
            places = keras.KerasTensor(places.shape, "int32")
        return ops.max_unpool2d(x, places, like, pool_size, padding, data_format)

    check(
        unpool,
        [pooled, image],
        {"data_format": data_format},
        lambda x, like: reference.max_unpool2d(x, indices, *size),
        dtype if dtype != "bfloat16" else "float32",
        last=(0, 1),
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    kernel_size=st.integers(1, 5),
    strides=pairs,
    padding=st.sampled_from(["reflect", "same", "valid", "wrap"]),
    data_format=data_formats,
    dtype=dtypes,
)
def test_blur_pool2d(size, kernel_size, strides, padding, data_format, dtype):
    check(
        ops.blur_pool2d,
        normal(0, (2, *size, 3)),
        {
            "kernel_size": kernel_size,
            "strides": strides,
            "padding": padding,
            "data_format": data_format,
        },
        lambda x: reference.blur_pool2d(x, kernel_size, strides, padding),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    channels=st.integers(1, 7),
    window=st.integers(0, 6),
    divide_alpha=st.booleans(),
    data_format=data_formats,
    dtype=dtypes,
)
def test_local_response_normalization(size, channels, window, divide_alpha, data_format, dtype):
    options = {"size": window, "alpha": 0.3, "beta": 0.6, "k": 1.5, "divide_alpha": divide_alpha}
    check(
        ops.local_response_normalization,
        normal(0, (2, *size, channels)),
        {**options, "data_format": data_format},
        lambda x: reference.local_response_normalization(
            x, window, 0.3 / window if divide_alpha else 0.3, 0.6, 1.5
        ),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    pool_size=pairs,
    strides=st.one_of(st.none(), pairs),
    padding=st.sampled_from(["valid", "same", "full"]),
    data_format=data_formats,
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_subsampling2d(size, pool_size, strides, padding, data_format, dtype, extra):
    check(
        ops.subsampling2d,
        normal(0, (2, *size, 3), (3 + extra,), (3,)),
        {
            "pool_size": pool_size,
            "strides": strides,
            "padding": padding,
            "data_format": data_format,
        },
        lambda x, kernel, bias: reference.subsampling2d(
            x, kernel, bias, pool_size, strides, padding
        ),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    channels=st.integers(1, 8),
    groups=st.integers(0, 4),
    data_format=data_formats,
    dtype=dtypes,
)
def test_channel_shuffle(size, channels, groups, data_format, dtype):
    check(
        ops.channel_shuffle,
        normal(0, (2, *size, channels)),
        {"groups": groups, "data_format": data_format},
        lambda x: reference.channel_shuffle(x, groups),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    channels=st.integers(1, 3),
    outputs=st.integers(1, 2),
    block=pairs,
    padding=st.one_of(paddings, wrong_paddings),
    mode=st.sampled_from(["DCR", "CRD"]),
    data_format=data_formats,
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_subpixel_conv2d(size, channels, outputs, block, padding, mode, data_format, dtype, extra):
    convolved = outputs * block[0] * block[1] + extra
    check(
        ops.subpixel_conv2d,
        normal(0, (2, *size, channels), (3, 2, channels, convolved), (convolved,)),
        {"block_size": block, "padding": padding, "data_format": data_format, "mode": mode},
        lambda x, kernel, bias: reference.subpixel_conv2d(x, kernel, bias, *block, padding, mode),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    name=st.sampled_from(["sharpen", "gaussian_blur_5x5", "edge_vertical", "blurry"]),
    strides=pairs,
    padding=st.one_of(paddings, wrong_paddings),
    data_format=data_formats,
    dtype=dtypes,
)
def test_fixed_filter2d(size, name, strides, padding, data_format, dtype):
    check(
        ops.fixed_filter2d,
        normal(0, (2, *size, 3)),
        {"filter": name, "strides": strides, "padding": padding, "data_format": data_format},
        lambda x: reference.fixed_filter2d(x, getattr(filters, name), strides, padding),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    channels=st.integers(1, 4),
    filters=st.integers(1, 4),
    data_format=st.sampled_from(["channels_last", "channels_first", "channels_middle"]),
    dtype=dtypes,
    extra=st.sampled_from([0, 0, 0, 1]),
)
def test_pointwise_conv2d(size, channels, filters, data_format, dtype, extra):
    check(
        ops.pointwise_conv2d,
        normal(0, (2, *size, channels), (1, 1 + extra, channels, filters)),
        {"data_format": data_format},
        reference.pointwise_conv2d,
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    multiple=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    margin=st.one_of(st.integers(0, 9), st.tuples(st.integers(-1, 9), st.integers(0, 9))),
    remainder=st.integers(0, 2),
    mode=st.sampled_from(["reflect", "zeros", "wrap"]),
    data_format=data_formats,
    dtype=dtypes,
)
def test_pad_to_multiple2d(size, multiple, margin, remainder, mode, data_format, dtype):
    options = {"multiple": multiple, "margin": margin, "remainder": remainder, "mode": mode}
    check(
        ops.pad_to_multiple2d,
        normal(0, (2, *size, 3)),
        {**options, "data_format": data_format},
        lambda x: reference.pad_to_multiple2d(x, **options),
        dtype,
    )


@cases
@given(
    size=st.tuples(sizes, sizes),
    like=st.tuples(sizes, sizes),
    offset=st.one_of(st.just(0), st.tuples(st.integers(-1, 2), st.integers(0, 2))),
    data_format=data_formats,
    dtype=dtypes,
)
def test_crop_like2d(size, like, offset, data_format, dtype):
    check(
        ops.crop_like2d,
        normal(0, (2, *size, 3), (1, *like, 2)),
        {"offset": offset, "data_format": data_format},
        lambda x, like: reference.crop_like2d(x, like, offset),
        dtype,
        last=(0, 1),
    )
