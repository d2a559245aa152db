"""Summaries of models: shapes, parameters, cost and receptive fields of every layer."""

import io
import math
import numbers
from dataclasses import dataclass
from fractions import Fraction

import keras

from kerascnn.arguments import UsageError
from kerascnn.backend import private_keras
from kerascnn.models.layer_calls import graph_of, listed, traced, walk
from kerascnn.models.operations import data_format_of
from kerascnn.models.receptive_field import NOTHING, Field, moves


@dataclass(frozen=True)
class Row:
    """A call of a layer, or of an operation such as `x + y`.

    Args:
        name: str, the layer's name, after the names of the models it is nested in:
            `"encoder/stage1_conv"`.
        kind: str, the layer's class.
        output_shape: tuple with the batch first, a tuple of such tuples for several outputs, or
            `None` if unknown.
        parameters: int, number of weight values that no earlier row has counted.
        multiply_adds: int, for one image, or `None` if unknown.
        receptive_field: pair `(height, width)` in pixels of the image that one output pixel can
            depend on: ints, or `math.inf` for the whole image. `None` if the output has no height
            and width, as after flattening, or the field is unknown.
        stride: pair `(height, width)`, the distance between neighboring output pixels in pixels of
            the image: ints, or fractions if the output has a higher resolution than the image.
            `None` if the receptive field is `None`, or if every output pixel sees the whole image
            because it was computed from a vector.
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
    """The result of `kerascnn.summary`; its string is a table.

    `multiply_adds` sums the rows where they are known: a lower bound for one image.

    Args:
        name: str, the model's name.
        rows: tuple of `Row`, in the order of the model's layers.
        parameters: int, number of values in all weights of the model, each weight counted once.
        trainable_parameters: int, number of values in trainable weights.
        notes: tuple of str, a message for each value that cannot be shown with the installed
            version of Keras; empty for versions that kerascnn was tested with.
    """

    name: str
    rows: tuple[Row, ...]
    parameters: int
    trainable_parameters: int
    notes: tuple[str, ...] = ()

    @property
    def multiply_adds(self):
        """The sum of the known multiply-adds."""
        return sum(row.multiply_adds or 0 for row in self.rows)

    def __repr__(self):
        return "\n".join([f"{_table(self)}\n\n{_totals(self)}", *self.notes])


def summary(model, input_shape=None):
    """Lists output shape, parameters, multiply-adds, receptive field and stride of every layer.

    **Multiply-adds** count convolutions and dense layers for one image, as in the tables of the
    ResNet and MobileNet papers: a multiplication and the addition after it count as one, padding is
    included, and biases, normalization, activations, pooling and other elementwise operations are
    not counted. (Some tools also count these, or count a multiply-add as two operations.)

    | layer | multiply-adds |
    |---|---|
    | convolution, also grouped or depthwise | output pixels x values in the kernel |
    | separable convolution | output pixels x values in both kernels |
    | transposed convolution | input pixels x values in the kernel |
    | sub-pixel convolution | input pixels x values in the kernel |
    | convolution with a fixed kernel, blur pooling | output values x values in the kernel |
    | dense | positions x values in the kernel |
    | squeeze and excitation, RBF output | values in the kernels or prototypes |

    The multiply-adds of a composite layer are the sum over its layers. They are unknown (`None`,
    shown as `?`) for products of two activations, as in attention, for other layers with their own
    weights, and if the height or width is unknown. `kerascnn.geometry` shows how custom layers
    define their multiply-adds and their window.

    **Receptive field** `r` and **stride** `j` of each axis start with 1 and 1 at the image. A
    window of size `k`, dilation `d` and stride `s` changes them to

        r + (k - 1) * d * j     and     j * s,

    and a transposed convolution to `r + (ceil(k / s) - 1) * j` and `j / s`. If tensors are
    combined, the largest value is used. This is the receptive field in the center of a large image:
    borders cut it, and statistics that a normalization computes over the image are not included.
    After upsampling, it differs between pixels, and the formula's value is rounded up. After a gate
    that is computed from the whole image, as in squeeze and excitation, every pixel sees the whole
    image.

    For a functional or sequential model, and models nested in it, the summary follows the graph. A
    subclassed model has no graph: its layers are listed in order, without shapes, unless
    `input_shape` is given and its `call` accepts symbolic tensors.

    Args:
        model: a built `keras.Model`.
        input_shape: the input shape without the batch, for a summary at this image size; a list of
            shapes for a model with several inputs. By default the model's own input shape.

    Returns:
        `Summary`, whose string is a table.

    Raises:
        ValueError: if the model is not built, or does not support the input shape.

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
        raise UsageError(f"`model` must be a `keras.Model`; got {type(model).__name__}.")
    if not model.built:
        raise UsageError(
            "`model` must be built, by an input shape or a first call on images; "
            f"got the model {model.name!r} without weights."
        )
    calls = _calls(model, input_shape) if private_keras.runs_graphs() else listed(model)
    return Summary(
        name=model.name,
        rows=_rows(calls),
        parameters=_size(model.weights),
        trainable_parameters=_size(model.trainable_weights),
        notes=private_keras.losses(),
    )


def _calls(model, input_shape):
    """Returns the calls in the graph of a model, or its layers in order without a graph."""
    graph = graph_of(model)
    if graph is not None:
        shapes = _input_shapes([x.shape for x in graph.inputs], input_shape)
        inputs = [
            keras.KerasTensor(shape, x.dtype, sparse=x.sparse)
            for shape, x in zip(shapes, graph.inputs, strict=True)
        ]
        return _followed(graph, inputs, model, input_shape)
    if input_shape is not None:
        inputs = [keras.KerasTensor((None, *shape)) for shape in _separate(input_shape)]
        graph = traced(model, (inputs[0] if len(inputs) == 1 else inputs,), {})
        if graph is not None:
            return _followed(graph, inputs, model, input_shape)
    return listed(model)


def _separate(input_shape):
    """Converts a shape to a list of one shape, and keeps a list of shapes."""
    given = input_shape if isinstance(input_shape, (tuple, list)) else [input_shape]
    shapes = given if given and isinstance(given[0], (tuple, list)) else [given]
    if not all(_is_size(size) for shape in shapes for size in shape):
        raise UsageError(
            "`input_shape` must be a tuple of ints, each at least 1, or a list of such tuples; "
            f"got input_shape={input_shape!r}."
        )
    return [tuple(shape) for shape in shapes]


def _is_size(size):
    return size is None or (isinstance(size, numbers.Integral) and size >= 1)


def _input_shapes(own, input_shape):
    """Returns the shapes of the model's inputs, replaced by `input_shape` if given."""
    if input_shape is None:
        return own
    given = _separate(input_shape)
    if [len(shape) for shape in given] != [len(shape) - 1 for shape in own]:
        taken = ", ".join(str(tuple(shape[1:])) for shape in own)
        raise UsageError(
            f"`input_shape` must have the rank of the model's inputs ({taken}); "
            f"got input_shape={input_shape}."
        )
    return [(shape[0], *sizes) for shape, sizes in zip(own, given, strict=True)]


def _followed(graph, inputs, model, input_shape):
    """Returns the calls in the graph of the whole model."""
    axes = (2, 3) if data_format_of(model) == "channels_first" else (1, 2)
    fields = {
        x: Field((1, 1), (Fraction(1), Fraction(1)), axes) if len(x.shape) == 4 else NOTHING
        for x in inputs
    }
    try:
        return walk(graph, inputs, fields, with_inputs=True)[1]
    except ValueError as error:
        if input_shape is None:
            raise
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"`input_shape` must be supported by the model {model.name!r}; "
            f"got input_shape={input_shape} ({reason})"
        ) from error


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
                stride=tuple(map(_whole_number, field.stride)) if moves(field) else None,
            )
        )
    return tuple(rows)


def _size(weights):
    return sum(math.prod(weight.shape) for weight in weights)


def _rank(shape):
    """Returns the rank of an output, or of the first output; `None` if unknown."""
    if shape and isinstance(shape[0], tuple):
        shape = shape[0]
    return None if shape is None else len(shape)


def _pixels(size):
    return size if size == math.inf else math.ceil(size)


def _whole_number(stride):
    return int(stride) if stride == int(stride) else stride


def _table(found):
    # Imported here, because building a model does not need rich.
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
        count = f"at least {count} (unknown for {unknown} of {len(found.rows)} rows)"
    return (
        f"parameters:     {found.parameters:,} ({found.trainable_parameters:,} trainable)\n"
        f"multiply-adds:  {count} for one image"
    )
