"""Other ops on many shapes and arguments, right and wrong: the same as loops."""

import keras
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kerascnn import filters, ops, reference
from tests.layers.images import in_data_format
from tests.layers.properties import (
    cases,
    check,
    data_formats,
    dtypes,
    normal,
    paddings,
    pairs,
    sizes,
    wrong_paddings,
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
