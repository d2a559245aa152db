"""What a model consists of and costs, layer by layer."""

import io
import math
import numbers
from dataclasses import dataclass
from fractions import Fraction
from functools import singledispatch

import keras

from kerascnn import layers


@dataclass(frozen=True)
class Row:
    """One call of a layer, or of an operation such as `x + y`.

    Args:
        name: str, the layer's name, after those of the models it is nested in:
            `"encoder/stage1_conv"`.
        kind: str, the layer's class.
        output_shape: tuple with the batch first, a tuple of such tuples where there are several
            outputs, or `None` where it is not known.
        parameters: int, the values in those weights that no row above has counted.
        multiply_adds: int, for one image, or `None` where they are not known.
        receptive_field: pair `(height, width)` of pixels of the image that one pixel of the output
            can depend on: ints, or `math.inf` for the whole image. `None` where the output has no
            height and width, as after flattening, or the field is not known.
        stride: pair `(height, width)`, the distance of two neighbours of the output in pixels of
            the image: ints, or fractions where the output is finer than the image. `None` where
            the receptive field is, and where every pixel of the output sees the whole image
            because it was made from a vector.
    """

    name: str
    kind: str
    output_shape: tuple | None
    parameters: int
    multiply_adds: int | None
    receptive_field: tuple | None
    stride: tuple | None


@dataclass(frozen=True, repr=False)
class Summary:
    """What `kerascnn.summary` found; as a string, a table.

    `multiply_adds` is the sum over the rows where they are known: for one image at least so many.

    Args:
        name: str, the model's name.
        rows: tuple of `Row`, in the order of the model's layers.
        parameters: int, the values in all weights of the model, each weight counted once.
        trainable_parameters: int, those of them that training changes.
    """

    name: str
    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int

    @property
    def multiply_adds(self):
        """The sum over the rows where they are known."""
        return sum(row.multiply_adds or 0 for row in self.rows)

    def __repr__(self):
        return f"{_table(self)}\n\n{_totals(self)}"


def summary(model, input_shape=None):
    """Lists output shape, parameters, multiply-adds, receptive field and stride of every layer.

    **Multiply-adds** are those of convolutions and dense layers for one image, as in the tables of
    the papers on ResNet and MobileNet: a multiplication and the addition that follows are one,
    padding is multiplied as well, and biases, normalization, activations, pooling and other
    operations on single elements count nothing. (Some tools count those too, or a multiply-add as
    two operations.)

    | layer | multiply-adds |
    |---|---|
    | convolution, of groups or depthwise too | output pixels x values in the kernel |
    | separable convolution | output pixels x values in both kernels |
    | transposed convolution | input pixels x values in the kernel |
    | sub-pixel convolution | input pixels x values in the kernel |
    | convolution with a fixed kernel, blur pooling | output values x values in the kernel |
    | dense | positions x values in the kernel |
    | squeeze and excitation, RBF output | values in the kernels or prototypes |

    Those of a layer that is made of other layers are the sum of theirs. They are not known (`None`,
    shown as `?`) of products of two activations, such as attention's, of other layers with weights
    of their own, and where the height or width is not known.

    **Receptive field** `r` and **stride** `j`, for each axis, begin with 1 and 1 at an image. A
    window of size `k`, dilation `d` and stride `s` makes of them

        r + (k - 1) * d * j     and     j * s,

    a transposed convolution `r + (ceil(k / s) - 1) * j` and `j / s`. Where tensors meet, the
    largest counts. This is the extent in the middle of a large image: borders cut it, and
    statistics that a normalization takes over the image are left out. After upsampling the extent
    differs from pixel to pixel; the formula's value is rounded up. A gate that is computed from the
    whole image, as in squeeze and excitation, lets every pixel after it see the whole image.

    A functional or sequential model, and the models nested in it, are followed along their graph.
    A subclassed model has none: its layers are listed in order, without shapes, unless
    `input_shape` is given and its `call` takes symbolic tensors.

    Args:
        model: a built `keras.Model`.
        input_shape: the input's shape without the batch, to see what the model makes of images of
            this size; a list of shapes for a model of several inputs. By default the model's own.

    Returns:
        `Summary`, whose string is a table.

    Raises:
        ValueError: if the model is not built, or does not take inputs of that shape.

    Reference:
        [Araujo et al., 2019](https://distill.pub/2019/computing-receptive-fields)

    Example:
        >>> import kerascnn
        >>> found = kerascnn.summary(kerascnn.models.create_model("lenet5"))
        >>> found.parameters, found.multiply_adds
        (61706, 416520)
        >>> row = found.rows[4]
        >>> row.name, row.output_shape, row.receptive_field, row.stride
        ('stage2_pool', (None, 5, 5, 16), (16, 16), (4, 4))
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"`model` must be a `keras.Model`; got {type(model).__name__}.")
    if not model.built:
        raise ValueError(
            "`model` must be built, by an input shape or a first call on images; "
            f"got the model {model.name!r} without weights."
        )
    graph = _graph(model)
    calls = _listed(model)
    if graph is not None:
        shapes = _input_shapes([x.shape for x in graph.inputs], input_shape)
        inputs = [
            keras.KerasTensor(shape, x.dtype, sparse=x.sparse)
            for shape, x in zip(shapes, graph.inputs, strict=True)
        ]
        calls = _followed(graph, inputs, model, input_shape)
    elif input_shape is not None:
        inputs = [keras.KerasTensor((None, *shape)) for shape in _separate(input_shape)]
        graph = _traced(model, (inputs[0] if len(inputs) == 1 else inputs,), {})
        if graph is not None:
            calls = _followed(graph, inputs, model, input_shape)
    return Summary(
        name=model.name,
        rows=_rows(calls),
        parameters=_size(model.weights),
        trainable_parameters=_size(model.trainable_weights),
    )


def _separate(input_shape):
    """A shape as a list of one, and a list of shapes as it is."""
    given = input_shape if isinstance(input_shape, (tuple, list)) else [input_shape]
    shapes = given if given and isinstance(given[0], (tuple, list)) else [given]
    if not all(_is_size(size) for shape in shapes for size in shape):
        raise ValueError(
            "`input_shape` must be a tuple of ints, each at least 1, or a list of such tuples; "
            f"got input_shape={input_shape!r}."
        )
    return [tuple(shape) for shape in shapes]


def _is_size(size):
    return size is None or (isinstance(size, numbers.Integral) and size >= 1)


def _input_shapes(own, input_shape):
    """The shapes of the model's inputs, with those of the caller in their place."""
    if input_shape is None:
        return own
    given = _separate(input_shape)
    if [len(shape) for shape in given] != [len(shape) - 1 for shape in own]:
        taken = ", ".join(str(tuple(shape[1:])) for shape in own)
        raise ValueError(
            f"`input_shape` must have the rank of the model's inputs ({taken}); "
            f"got input_shape={input_shape}."
        )
    return [(shape[0], *sizes) for shape, sizes in zip(own, given, strict=True)]


def _followed(graph, inputs, model, input_shape):
    """The calls along the graph of the whole model."""
    data_format = next(
        (layer.data_format for layer in model._flatten_layers() if hasattr(layer, "data_format")),
        keras.config.image_data_format(),
    )
    axes = (2, 3) if data_format == "channels_first" else (1, 2)
    fields = {
        x: _Field((1, 1), (Fraction(1), Fraction(1)), axes) if len(x.shape) == 4 else _NOTHING
        for x in inputs
    }
    try:
        return _walk(graph, inputs, fields, with_inputs=True)[1]
    except ValueError as error:
        if input_shape is None:
            raise
        reason = str(error).strip().partition("\n")[0]
        raise ValueError(
            f"`input_shape` must be one that the model {model.name!r} takes; "
            f"got input_shape={input_shape} ({reason})"
        ) from error


# Along the graph


@dataclass(frozen=True)
class _Call:
    """An operation on its way through the graph."""

    path: str
    operation: keras.Operation
    output_shape: tuple | None
    multiply_adds: int | None
    field: "_Field | None" = None


def _graph(operation):
    """The graph that an operation is, or `None` if it is none."""
    if isinstance(operation, keras.Function):  # every functional model is one
        return operation
    if isinstance(operation, keras.Sequential):
        try:
            return keras.Function(operation.inputs, operation.outputs)
        except AttributeError:  # a layer whose output shape Keras does not know
            return None
    return None


def _walk(graph, inputs, fields, with_inputs=False):
    """Runs a graph on symbolic tensors.

    Args:
        graph: `keras.Function`.
        inputs: list of `keras.KerasTensor`.
        fields: dict of the `_Field` of every tensor; those of the new ones are added.
        with_inputs: bool, whether the inputs are calls too.

    Returns:
        the outputs, and the list of `_Call`, in the order of the graph's operations.
    """
    place = {operation: i for i, operation in enumerate(graph.operations)}
    found = [[] for _ in place]
    if with_inputs:
        for reference, x in zip(graph.inputs, inputs, strict=True):
            operation = reference._keras_history.operation
            if operation in place:
                call = _Call(operation.name, operation, tuple(x.shape), 0, fields[x])
                found[place[operation]].append(call)

    def visited(operation):
        def call(*args, **kwargs):
            outputs, calls = _visit(operation, args, kwargs, fields)
            found[place[operation]].extend(calls)
            return outputs

        return call

    outputs = graph._run_through_graph(inputs, operation_fn=visited)
    return outputs, [call for calls in found for call in calls]


def _visit(operation, args, kwargs, fields):
    """Runs one operation of a graph; returns its outputs and the calls that it stands for."""
    graph = _graph(operation)
    if graph is not None:
        first = args[0] if args else next(iter(kwargs.values()))
        outputs, calls = _walk(graph, keras.tree.flatten(first), fields)
        return outputs, [_nested(call, operation.name) for call in calls]
    inputs = [x for x in keras.tree.flatten((args, kwargs)) if isinstance(x, keras.KerasTensor)]
    _check(operation, inputs)
    result = operation.compute_output_spec(*args, **kwargs)
    outputs = keras.tree.flatten(result)
    shapes_in, shapes_out = [tuple(x.shape) for x in inputs], [tuple(x.shape) for x in outputs]
    field = _merged([fields[x] for x in inputs])
    after = _field(operation, field, shapes_in, shapes_out) if _moves(field) else field
    fields.update(dict.fromkeys(outputs, after))
    if _is_opaque(operation):
        multiply_adds, inner = _inside(operation, args, kwargs, inputs, fields)
        if _window(operation) is None and _moves(field) and len(inner) == len(outputs):
            fields.update(zip(outputs, inner, strict=True))
    else:
        multiply_adds = _multiply_adds(operation, shapes_in, shapes_out)
    shape = shapes_out[0] if len(shapes_out) == 1 else tuple(shapes_out)
    seen = fields[outputs[0]] if outputs else None
    return result, [_Call(operation.name, operation, shape, multiply_adds, seen)]


def _nested(call, name):
    return _Call(
        f"{name}/{call.path}", call.operation, call.output_shape, call.multiply_adds, call.field
    )


def _check(operation, inputs):
    """Refuses inputs that a layer does not take; `compute_output_spec` alone asks no questions."""
    specs = [
        spec
        for spec in keras.tree.flatten(getattr(operation, "input_spec", None))
        if isinstance(spec, keras.InputSpec)
    ]
    for spec, x in zip(specs, inputs, strict=False):
        for axis, size in spec.axes.items():
            if size is not None and x.shape[axis] not in (size, None):
                raise ValueError(
                    f"{operation.name} takes inputs with {size} in axis {axis} only, "
                    f"and gets the shape {tuple(x.shape)}."
                )


def _is_opaque(operation):
    """Whether the rules below know nothing of a layer, so that its `call` has to tell."""
    if not isinstance(operation, keras.Layer) or _has_rule(operation):
        return False
    return not _is_keras(operation) or bool(_sublayers(operation))


def _inside(layer, args, kwargs, inputs, fields):
    """What the `call` of a layer does: its multiply-adds, and the fields of its outputs."""
    graph = _traced(layer, args, kwargs)
    if graph is None:
        return None, []
    try:
        outputs, calls = _walk(graph, inputs, fields)
    except Exception:  # as in `_traced`
        return None, []
    counts = [call.multiply_adds for call in calls]
    multiply_adds = None if _own_weights(layer) or None in counts else sum(counts)
    return multiply_adds, [fields[x] for x in keras.tree.flatten(outputs)]


def _traced(layer, args, kwargs):
    """The graph of a layer's `call`, or `None` where it takes no symbolic tensors."""
    parts = layer._flatten_layers()
    if not all(part.built for part in parts):
        return None
    inputs = []

    def placeholder(x):
        if not isinstance(x, keras.KerasTensor):
            return x
        name = f"{layer.name}_input{len(inputs)}"
        inputs.append(keras.Input(batch_shape=x.shape, dtype=x.dtype, name=name))
        return inputs[-1]

    # The calls that are recorded here would stay with the layers.
    records = [nodes for part in parts for nodes in (part._inbound_nodes, part._outbound_nodes)]
    lengths = [len(nodes) for nodes in records]
    try:
        args, kwargs = keras.tree.map_structure(placeholder, (args, kwargs))
        return keras.Function(inputs, layer.call(*args, **kwargs))
    except Exception:  # whatever the layer's author did not expect symbolic tensors to do
        return None
    finally:
        for nodes, length in zip(records, lengths, strict=True):
            del nodes[length:]


def _sublayers(layer):
    return layer._flatten_layers(include_self=False, recursive=False)


def _own_weights(layer):
    """The weights of a layer that are of none of its sublayers."""
    theirs = {id(weight) for sublayer in _sublayers(layer) for weight in sublayer.weights}
    return [weight for weight in layer.weights if id(weight) not in theirs]


def _listed(model):
    """The layers of a model without a graph."""
    return [
        _Call(layer.name, layer, None, 0 if _costs_nothing(layer) else None)
        for layer in model.layers
    ]


def _costs_nothing(layer):
    return not layer.weights or _multiply_adds.dispatch(type(layer)) is _free


# Multiply-adds: a rule takes the operation and the lists of its inputs' and outputs' shapes.


# Names of operations that are products of two tensors, of which one may be weights
_PRODUCTS = {
    "Conv",
    "ConvTranspose",
    "DepthwiseConv",
    "Dot",
    "DotProductAttention",
    "Einsum",
    "Inner",
    "Matmul",
    "SeparableConv",
    "Tensordot",
    "Vdot",
}


@singledispatch
def _multiply_adds(operation, inputs, outputs):
    name = type(operation).__name__
    if name in _PRODUCTS or getattr(operation, "weights", ()):
        return None
    return 0 if _is_keras(operation) or name in _OPERATIONS else None


def _kernel_per_output(layer, inputs, outputs):
    # Counted from the values of the output, so that it holds where they are rearranged after.
    return _product(*outputs[0][1:], *layer.kernel.shape[:-1])


def _kernel_per_input(layer, inputs, outputs):
    return _product(*inputs[0][1:], *layer.kernel.shape[:-1])


def _window_per_output(layer, inputs, outputs):
    sizes = layer.kernel_size
    return _product(*outputs[0][1:], *(_pair(sizes) or sizes))


def _separable(layer, inputs, outputs):
    values = math.prod(layer.depthwise_kernel.shape) + math.prod(layer.pointwise_kernel.shape)
    count = _product(*outputs[0][1:], values)
    return None if count is None else count // layer.filters


def _einsum(layer, inputs, outputs):
    operands, _, result = layer.equation.replace(" ", "").partition("->")
    kernel = zip(operands.partition(",")[2], layer.kernel.shape, strict=True)
    summed = [size for label, size in kernel if label not in result]
    return _product(*outputs[0][1:], *summed)


def _gate(layer, inputs, outputs):
    return math.prod(layer.squeeze_kernel.shape) + math.prod(layer.excite_kernel.shape)


def _distances(layer, inputs, outputs):
    return _product(*outputs[0][1:], inputs[0][-1])


def _free(layer, inputs, outputs):
    return 0


for _rule, _classes in {
    _kernel_per_output: (
        keras.layers.Conv1D,
        keras.layers.Conv2D,
        keras.layers.Conv3D,
        keras.layers.Dense,
        layers.SubpixelConv2D,
    ),
    _kernel_per_input: (
        keras.layers.Conv1DTranspose,
        keras.layers.Conv2DTranspose,
        keras.layers.Conv3DTranspose,
    ),
    _window_per_output: (
        keras.layers.DepthwiseConv1D,
        keras.layers.DepthwiseConv2D,
        layers.BlurPool2D,
        layers.FixedFilter2D,
    ),
    _separable: (keras.layers.SeparableConv1D, keras.layers.SeparableConv2D),
    _einsum: (keras.layers.EinsumDense,),
    _gate: (layers.SqueezeExcite,),
    _distances: (layers.RBFOutput,),
    _free: (
        keras.layers.BatchNormalization,
        keras.layers.Embedding,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.Normalization,
        keras.layers.PReLU,
        keras.layers.RMSNormalization,
        layers.BatchNormalization,
        layers.ChannelShuffle,
        layers.DropBlock2D,
        layers.Dropout,
        layers.LocalResponseNormalization,
        layers.MaxPoolWithArgmax2D,
        layers.MaxUnpool2D,
        layers.Maxout,
        layers.PixelShuffle,
        layers.PixelUnshuffle,
        layers.ScaledTanh,
        layers.StochasticDepth,
        layers.Subsampling2D,
    ),
}.items():
    for _class in _classes:
        _multiply_adds.register(_class, _rule)


def _product(*sizes):
    return None if None in sizes else math.prod(sizes)


# Receptive fields: a rule takes the operation, the field of its inputs and the shapes.


@dataclass(frozen=True)
class _Field:
    """What one pixel of a tensor sees of the image, and how far its neighbours are apart.

    Args:
        size: pair `(height, width)` of pixels of the image.
        stride: pair of fractions, or `None` for a tensor without height and width.
        axes: pair, where the tensor has its height and width.
    """

    size: tuple
    stride: tuple | None = None
    axes: tuple | None = None


_NOTHING = _Field((0, 0))  # of a tensor that the image has no part in
_WHOLE = _Field((math.inf, math.inf))


def _moves(field):
    """Whether a layer can change a field: one that is known, of a tensor with height and width."""
    return field is not None and field.stride is not None


def _merged(fields):
    """The field of a tensor that several others are combined to; `None` if one is not known."""
    if not fields or None in fields:
        return None
    maps = [field for field in fields if field.stride is not None]
    return _Field(
        size=_largest(field.size for field in fields),
        stride=_largest(field.stride for field in maps) if maps else None,
        axes=maps[0].axes if maps else None,
    )


def _largest(pairs):
    return tuple(max(sizes) for sizes in zip(*pairs, strict=True))


@singledispatch
def _field(operation, field, inputs, outputs):
    window = _window(operation)
    if window is not None:
        return _through_unknown_window(operation, field, inputs, outputs, *window)
    name = type(operation).__name__
    if name in _OPERATIONS:
        return _OPERATIONS[name](operation, field, inputs, outputs)
    if name in _PRODUCTS or not _is_keras(operation):
        return None
    if hasattr(operation, "axis"):
        return _along_axis(operation, field, outputs)
    return field if _is_elementwise(inputs, outputs) else None


def _keep(operation, field, inputs, outputs):
    return field


def _whole(operation, field, inputs, outputs):
    return _WHOLE


def _gated(operation, field, inputs, outputs):
    return _Field(_WHOLE.size, field.stride, field.axes)


def _through_window(operation, field, inputs, outputs):
    window, strides = _window(operation)
    return _widened(field, window, strides)


def _through_transposed_window(operation, field, inputs, outputs):
    window, strides = _window(operation)
    return _refined(field, window, strides)


def _through_upsampling(layer, field, inputs, outputs):
    # How many pixels an interpolation reads for one, in pixels of its input
    reach = {"nearest": 1, "bilinear": 2, "bicubic": 4, "lanczos3": 6, "lanczos5": 10}
    taps = reach[layer.interpolation]
    window = tuple(taps * size if size > 1 else 1 for size in layer.size)
    return _refined(field, window, layer.size)


def _through_shuffle(layer, field, inputs, outputs):
    if _window(layer) is not None:  # sub-pixel convolution: the window comes first
        field = _through_window(layer, field, inputs, outputs)
    block = _pair(_argument(layer, "block_size"))
    return _refined(field, block, block)


def _through_unshuffle(layer, field, inputs, outputs):
    block = _pair(_argument(layer, "block_size"))
    return _widened(field, block, block)


def _through_unknown_window(operation, field, inputs, outputs, window, strides):
    """A layer that only its attributes describe: whether it goes up or down, its shapes tell."""
    if strides == (1, 1):
        return _widened(field, window, strides)
    before, after = ([shape[0][axis] for axis in field.axes] for shape in (inputs, outputs))
    if None in before + after:
        return None
    if all(n <= m for n, m in zip(after, before, strict=True)):
        return _widened(field, window, strides)
    if all(n >= m for n, m in zip(after, before, strict=True)):
        return _refined(field, window, strides)
    return None


def _along_axis(operation, field, outputs):
    """A reduction, softmax, split, concatenation ... along the axes in `axis`."""
    axes = operation.axis
    if axes is None:
        return _WHOLE
    axes = [axes] if isinstance(axes, numbers.Integral) else axes
    crossed = {axis % 4 for axis in axes} & set(field.axes)
    if len(crossed) == 2:
        return _WHOLE
    return None if crossed or len(outputs[0]) != 4 else field


for _rule, _classes in {
    _through_window: (
        keras.layers.AveragePooling2D,
        keras.layers.Conv2D,
        keras.layers.DepthwiseConv2D,
        keras.layers.MaxPooling2D,
        keras.layers.SeparableConv2D,
        layers.BlurPool2D,
        layers.FixedFilter2D,
        layers.MaxPoolWithArgmax2D,
        layers.Subsampling2D,
    ),
    _through_transposed_window: (keras.layers.Conv2DTranspose, layers.MaxUnpool2D),
    _through_upsampling: (keras.layers.UpSampling2D,),
    _through_shuffle: (layers.PixelShuffle, layers.SubpixelConv2D),
    _through_unshuffle: (layers.PixelUnshuffle,),
    _gated: (layers.SqueezeExcite,),
    _keep: (
        keras.layers.BatchNormalization,
        keras.layers.Cropping2D,
        keras.layers.Dense,
        keras.layers.GroupNormalization,
        keras.layers.LayerNormalization,
        keras.layers.RMSNormalization,
        keras.layers.ZeroPadding2D,
        layers.BatchNormalization,
        layers.ChannelShuffle,
        layers.DropBlock2D,
        layers.Dropout,
        layers.LocalResponseNormalization,
        layers.Maxout,
        layers.RBFOutput,
        layers.ScaledTanh,
        layers.StochasticDepth,
    ),
    _whole: (
        keras.layers.Flatten,
        keras.layers.GlobalAveragePooling2D,
        keras.layers.GlobalMaxPooling2D,
    ),
}.items():
    for _class in _classes:
        _field.register(_class, _rule)

# Operations whose classes are not public, by their names: one of Keras's, then ours
_OPERATIONS = {
    "Pad": _keep,
    "channel_shuffle": _keep,
    "local_response_normalization": _keep,
    "pixel_shuffle": _through_shuffle,
    "pixel_unshuffle": _through_unshuffle,
}


def _has_rule(operation):
    return any(
        rules.dispatch(type(operation)) is not rules.dispatch(object)
        for rules in (_field, _multiply_adds)
    )


def _is_keras(operation):
    """Whether an operation is one of Keras's that do what their attributes and shapes say."""
    module = type(operation).__module__
    if module.startswith(("keras.src.layers.attention.", "keras.src.layers.rnn.")):
        return False
    known = module.startswith(("keras.src.layers.", "keras.src.ops."))
    return known and not isinstance(operation, keras.layers.Lambda)


def _argument(operation, name):
    """An argument of a layer, or of an operation made by `kerascnn.ops.symbolic`."""
    return getattr(operation, "arguments", {}).get(name, getattr(operation, name, None))


def _window(operation):
    """Window (dilated) and strides of an operation that has such attributes, else `None`."""
    size = _pair(getattr(operation, "kernel_size", getattr(operation, "pool_size", None)))
    if size is None:
        return None
    default = size if hasattr(operation, "pool_size") else 1
    strides = _pair(getattr(operation, "strides", None)) or _pair(default)
    dilation = _pair(getattr(operation, "dilation_rate", 1)) or (1, 1)
    window = tuple((k - 1) * d + 1 for k, d in zip(size, dilation, strict=True))
    return window, strides


def _pair(value):
    if isinstance(value, numbers.Integral):
        return value, value
    return tuple(value) if isinstance(value, (tuple, list)) and len(value) == 2 else None


def _widened(field, window, strides):
    size = tuple(r + (k - 1) * j for r, k, j in zip(field.size, window, field.stride, strict=True))
    stride = tuple(j * s for j, s in zip(field.stride, strides, strict=True))
    return _Field(size, stride, field.axes)


def _refined(field, window, strides):
    size = tuple(
        r + (math.ceil(k / s) - 1) * j
        for r, k, s, j in zip(field.size, window, strides, field.stride, strict=True)
    )
    stride = tuple(j / s for j, s in zip(field.stride, strides, strict=True))
    return _Field(size, stride, field.axes)


def _is_elementwise(inputs, outputs):
    """Whether every output has the shape that the inputs have together, broadcast."""
    rank = max(map(len, inputs))
    sizes = list(zip(*((1,) * (rank - len(shape)) + shape for shape in inputs), strict=True))
    return all(
        len(shape) == rank
        and all(set(found) <= {1, size} for found, size in zip(sizes, shape, strict=True))
        for shape in outputs
    )


# As rows and as text


def _rows(calls):
    counted = set()
    rows = []
    for call in calls:
        weights = getattr(call.operation, "weights", ())
        new = [weight for weight in weights if id(weight) not in counted]
        counted.update(id(weight) for weight in new)
        field = call.field if _rank(call.output_shape) == 4 else None
        rows.append(
            Row(
                name=call.path,
                kind=type(call.operation).__name__,
                output_shape=call.output_shape,
                parameters=_size(new),
                multiply_adds=call.multiply_adds,
                receptive_field=tuple(map(_pixels, field.size)) if field else None,
                stride=tuple(map(_whole_number, field.stride)) if _moves(field) else None,
            )
        )
    return tuple(rows)


def _size(weights):
    return sum(math.prod(weight.shape) for weight in weights)


def _rank(shape):
    """The rank of an output, or of the first of several; `None` if it is not known."""
    if shape and isinstance(shape[0], tuple):
        shape = shape[0]
    return None if shape is None else len(shape)


def _pixels(size):
    return size if size == math.inf else math.ceil(size)


def _whole_number(stride):
    return int(stride) if stride == int(stride) else stride


def _table(found):
    # Imported here: whoever builds a model need not load rich.
    from rich.box import Box
    from rich.console import Console
    from rich.table import Table

    ruled = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)
    table = Table(box=ruled, show_edge=False, pad_edge=False)
    for heading in ("layer", "kind", "output shape"):
        table.add_column(heading, no_wrap=True)
    for heading in ("parameters", "multiply-adds", "receptive field", "stride"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in found.rows:
        known = row.receptive_field is not None or _rank(row.output_shape) not in (4, None)
        table.add_row(
            row.name,
            row.kind,
            "?" if row.output_shape is None else str(row.output_shape),
            f"{row.parameters:,}",
            "?" if row.multiply_adds is None else f"{row.multiply_adds:,}",
            _sides(row.receptive_field) if known else "?",
            _sides(row.stride) if known else "?",
        )
    text = io.StringIO()
    widest = 200 + max((len(f"{row.name}{row.output_shape}") for row in found.rows), default=0)
    console = Console(
        file=text, width=2 * widest, markup=False, emoji=False, highlight=False, color_system=None
    )
    console.print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip().splitlines())


def _sides(pair):
    if pair in (None, (0, 0)):
        return "-"
    return " x ".join("all" if side == math.inf else str(side) for side in pair)


def _totals(found):
    unknown = sum(row.multiply_adds is None for row in found.rows)
    count = f"{found.multiply_adds:,}"
    if unknown:
        count = f"at least {count} (not known of {unknown} of {len(found.rows)} rows)"
    return (
        f"parameters:     {found.parameters:,} ({found.trainable_parameters:,} trainable)\n"
        f"multiply-adds:  {count} for one image"
    )
