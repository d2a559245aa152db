"""TensorFlow Serving's REST interface.

<https://www.tensorflow.org/tfx/serving/api_rest>: paths, fields and status codes are as
documented.
"""

import re

import numpy as np

from kerascnn_apps.serve.body import check_json, read_body
from kerascnn_apps.serve.exported import ENCODED
from kerascnn_apps.serve.guard import note
from kerascnn_apps.serve.json_arrays import json_response, plain, read_json, to_array
from kerascnn_apps.serve.limits import Held
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.routing import route

_DEFAULT = "serving_default"
_TYPES = {
    "bfloat16": "DT_BFLOAT16",
    "bool": "DT_BOOL",
    "float16": "DT_HALF",
    "float32": "DT_FLOAT",
    "float64": "DT_DOUBLE",
    "int8": "DT_INT8",
    "int16": "DT_INT16",
    "int32": "DT_INT32",
    "int64": "DT_INT64",
    "string": "DT_STRING",
    "uint8": "DT_UINT8",
    "uint16": "DT_UINT16",
    "uint32": "DT_UINT32",
    "uint64": "DT_UINT64",
}
_TARGET = re.compile(
    r"(?P<name>[^/:]+)(/versions/(?P<version>\d{1,18})|/labels/(?P<label>[^/:]+))?"
)


def routes(service):
    """Returns the routes below /v1/models."""

    async def status(request, target):
        path, _, metadata = target.partition("/metadata")
        if metadata:
            raise _malformed(target)
        name, which = _parsed(path)
        model = service.models.get(name)
        if path != target:
            return _metadata(model.get(**which))
        return {"model_version_status": _states(model, **which)}

    async def run(request, target):
        path, _, method = target.rpartition(":")
        name, which = _parsed(path)
        if method in ("classify", "regress"):
            raise RefusedError(400, f"The model has no signature for {method}; use {name}:predict.")
        if method != "predict":
            raise _malformed(target)
        with Held(service.memory) as held, service.models.get(name).use(**which) as served:
            note(request, model=served.name, version=served.version)
            check_json(request)
            body = await read_body(request, service.limits, held)
            async with service.deadline():
                return await _predict(service, served, body, held)

    path = "/v1/models/{target:path}"
    return [route(path, run, "POST"), route(path, status)]


def _parsed(target):
    found = _TARGET.fullmatch(target)
    if found is None:
        raise _malformed(target)
    version = found["version"] and int(found["version"])
    return found["name"], {"version": version, "label": found["label"]}


def _malformed(target):
    return RefusedError(404, f"There is no /v1/models/{target[:200]}; see /v1/models/NAME:predict.")


def _states(model, version=None, label=None):
    if label is not None:
        version = model.get(label=label).version
    found = dict.fromkeys(model.draining, ("UNLOADING", "OK", ""))
    found |= dict.fromkeys(model.versions, ("AVAILABLE", "OK", ""))
    found |= {
        number: ("END", "UNKNOWN", reason)
        for number, reason in model.failures.items()
        if number not in found
    }
    if version is not None:
        if version not in found:
            model.get(version)  # raises
        found = {version: found[version]}
    return [
        {
            "version": str(number),
            "state": state,
            "status": {"error_code": code, "error_message": message},
        }
        for number, (state, code, message) in sorted(found.items(), reverse=True)
    ]


def _metadata(served):
    exported = served.exported
    signatures = {_DEFAULT: _signature(_DEFAULT, exported.inputs, exported.outputs)}
    if exported.takes_images:
        inputs = [(ENCODED, "string", (None,))]
        signatures[ENCODED] = _signature(ENCODED, inputs, exported.outputs)
    return {
        "model_spec": {"name": served.name, "signature_name": "", "version": str(served.version)},
        "metadata": {"signature_def": {"signature_def": signatures}},
    }


def _signature(signature, inputs, outputs):
    def described(tensors, prefix):
        found = {}
        for tensor in tensors:
            name, dtype, shape = (
                tensor if isinstance(tensor, tuple) else (tensor.name, tensor.dtype, tensor.shape)
            )
            sizes = [{"size": str(-1 if size is None else size), "name": ""} for size in shape]
            found[name] = {
                "dtype": _TYPES.get(dtype, "DT_INVALID"),
                "tensor_shape": {"dim": sizes, "unknown_rank": False},
                "name": f"{prefix}_{name}:0",
            }
        return found

    return {
        "inputs": described(inputs, signature),
        "outputs": described(outputs, "StatefulPartitionedCall"),
        "method_name": "tensorflow/serving/predict",
        "defaults": {},
    }


async def _predict(service, served, body, held):
    given = await service.read(read_json, len(body), body)
    unknown = set(given) - {"signature_name", "instances", "inputs"}
    if unknown:
        raise RefusedError(400, f"The body has the unknown field {min(unknown)[:100]!r}.")
    if ("instances" in given) == ("inputs" in given):
        raise RefusedError(400, "The body must have 'instances' or 'inputs', and not both.")
    signature = given.get("signature_name", _DEFAULT)
    in_rows = "instances" in given
    specs = _inputs_of(served.exported, signature)
    values = (_columns_of_rows if in_rows else _columns)(given, specs)
    if signature == ENCODED:
        files = await service.in_thread(to_array, values[ENCODED], "string", ENCODED)
        if files.ndim != 1:
            raise RefusedError(400, f"Input {ENCODED!r} must be a list of files.")
        found = await service.on_files(served, list(files), held)
    else:
        arrays = {
            name: await service.in_thread(to_array, value, specs[name], name)
            for name, value in values.items()
        }
        found = await service.on_arrays(served, arrays)
    return json_response(
        {"predictions": _rows(found)} if in_rows else {"outputs": _joined_columns(found)}
    )


def _inputs_of(exported, signature):
    """Returns the types of the inputs of a signature by name."""
    if signature in ("", _DEFAULT):
        return {tensor.name: tensor.dtype for tensor in exported.inputs}
    if signature == ENCODED and exported.takes_images:
        return {ENCODED: "string"}
    known = f"{_DEFAULT}, {ENCODED}" if exported.takes_images else _DEFAULT
    raise RefusedError(
        400, f"The model has no signature {str(signature)[:100]!r}; its signatures: {known}."
    )


def _columns_of_rows(given, specs):
    rows = given["instances"]
    if not isinstance(rows, (list, np.ndarray)) or not len(rows):
        raise RefusedError(400, "'instances' must be a list with at least one instance.")
    named = [isinstance(row, dict) and set(row) != {"b64"} for row in rows]
    if not any(named):
        if len(specs) != 1:
            raise RefusedError(400, f"Each instance must be an object with {', '.join(specs)}.")
        return {next(iter(specs)): rows}
    if not all(named) or any(set(row) != set(specs) for row in rows):
        raise RefusedError(400, f"Each instance must be an object with {', '.join(specs)}.")
    return {name: [row[name] for row in rows] for name in specs}


def _columns(given, specs):
    columns = given["inputs"]
    if isinstance(columns, dict) and set(columns) != {"b64"}:
        if set(columns) != set(specs):
            raise RefusedError(400, f"'inputs' must have {', '.join(specs)}.")
        return columns
    if len(specs) != 1:
        raise RefusedError(400, f"'inputs' must be an object with {', '.join(specs)}.")
    return {next(iter(specs)): columns}


def _written(name, array):
    # The suffix is TensorFlow Serving's sign of an output of bytes.
    return plain(array, as_base64=name.endswith("_bytes")) if array.dtype.kind in "OSU" else array


def _rows(found):
    rows = []
    for outputs in found:
        for i in range(len(next(iter(outputs.values())))):
            row = {name: _written(name, np.asarray(value[i])) for name, value in outputs.items()}
            rows.append(row if len(row) > 1 else next(iter(row.values())))
    return rows


def _joined_columns(found):
    columns = {}
    for name in found[0]:
        parts = [outputs[name] for outputs in found]
        if len({part.shape[1:] for part in parts}) == 1:
            columns[name] = _written(name, np.concatenate(parts))
        else:  # images of several sizes
            columns[name] = [_written(name, row) for part in parts for row in part]
    return columns if len(columns) > 1 else next(iter(columns.values()))
