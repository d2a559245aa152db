"""Convolutions on many shapes and arguments, right and wrong: the same as loops."""

from hypothesis import given
from hypothesis import strategies as st

from kerascnn import ops, reference
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
