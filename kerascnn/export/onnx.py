"""ONNX files."""

import json
import logging
import warnings

from kerascnn.backend.private_keras import patch_tf2onnx
from kerascnn.export.network import plain_graph

OPSET = 17


def write(model, serving, path):
    """Writes a model as an ONNX file, as `saved_model.write` does."""
    import onnx
    import tf2onnx

    patch_tf2onnx()
    graph = plain_graph(model, serving)
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # warnings of tf2onnx
        found, _ = tf2onnx.convert.from_function(
            graph.function, input_signature=graph.signature, opset=OPSET
        )
    given = found.metadata_props.add()
    given.key, given.value = "kerascnn", json.dumps(serving.facts)
    onnx.save(found, str(path))


def quantize(path, target, feeds):
    """Writes an ONNX file with 8-bit weights and activations (QDQ, ONNX Runtime).

    Args:
        path: path of the file of `write`.
        target: path of the new file.
        feeds: list of dicts of arrays, the inputs to calibrate on.
    """
    import onnx
    from onnxruntime.quantization import (
        CalibrationDataReader,
        QuantFormat,
        QuantType,
        quantize_static,
    )
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Reader(CalibrationDataReader):
        """Returns the arrays one after the other."""

        def __init__(self):
            self._left = iter(feeds)

        def get_next(self):
            return next(self._left, None)

    prepared = path.with_name("prepared.onnx")
    quant_pre_process(str(path), str(prepared), skip_symbolic_shape=True)
    model = onnx.load(str(prepared))
    logging.getLogger().setLevel(logging.ERROR)
    quantize_static(
        str(prepared),
        str(target),
        Reader(),
        quant_format=QuantFormat.QDQ,
        op_types_to_quantize=["Conv", "ConvTranspose", "Gemm", "MatMul"],
        nodes_to_exclude=_without_weights(model.graph),
        per_channel=True,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        # Weights of 7 bits: without VNNI, sums of two products of 8 bits are cut off at 16 bits.
        reduce_range=True,
    )
    prepared.unlink()


def _without_weights(graph):
    """Returns the names of products without weights, which resize images."""
    weights = {tensor.name for tensor in graph.initializer}
    return [
        node.name
        for node in graph.node
        if node.op_type == "MatMul" and not weights & set(node.input)
    ]
