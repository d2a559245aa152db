"""The Open Inference Protocol, version 2, that KServe, Triton and OpenVINO Model Server speak.

<https://github.com/kserve/open-inference-protocol>, with Triton's extension for binary tensors,
which its Python client uses by default.
"""

import math
import struct
from importlib.metadata import version as version_of

import numpy as np
from starlette.responses import Response

from kerascnn_apps.serve.body import check_json, read_body
from kerascnn_apps.serve.exported import ENCODED
from kerascnn_apps.serve.guard import note
from kerascnn_apps.serve.json_arrays import json_response, json_text, plain, read_json, to_array
from kerascnn_apps.serve.limits import Held
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.routing import route

_HEADER = "inference-header-content-length"
_NAMES = {
    "bfloat16": "BF16",
    "bool": "BOOL",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
    "string": "BYTES",
    **{
        f"{kind}{bits}": f"{kind.upper()}{bits}"
        for kind in ("int", "uint")
        for bits in (8, 16, 32, 64)
    },
}
_TYPES = {name: dtype for dtype, name in _NAMES.items()}


def routes(service):
    """Returns the routes below /v2."""

    async def server(request):
        extensions = ["binary_tensor_data"]
        return {"name": "kerascnn", "version": version_of("kerascnn"), "extensions": extensions}

    async def live(request):
        return {"live": True}

    async def ready(request):
        if service.draining:
            raise RefusedError(503, "The server is ending.")
        return {"ready": True}

    async def metadata(request, name, version=None):
        model = service.models.get(name)
        return _metadata(model, model.get(_number(version)))

    async def model_ready(request, name, version=None):
        service.models.get(name).get(_number(version))
        return {"name": name, "ready": True}

    async def infer(request, name, version=None):
        model = service.models.get(name)
        with Held(service.memory) as held, model.use(_number(version)) as served:
            note(request, model=served.name, version=served.version)
            check_json(request, "application/octet-stream", "application/vnd.ms-octet-stream")
            body = await read_body(request, service.limits, held)
            length = request.headers.get(_HEADER)
            async with service.deadline():
                size = int(length) if (length or "").isdecimal() else len(body)
                given, arrays = await service.read(_parsed, size, body, length, served.exported)
                if set(arrays) == {ENCODED}:
                    found = await service.on_files(served, list(arrays[ENCODED]), held)
                else:
                    found = await service.on_arrays(served, arrays)
                return await service.in_thread(_response, served, given, _joined(found))

    found = [
        route("/v2", server),
        route("/v2/health/live", live),
        route("/v2/health/ready", ready),
    ]
    for path in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
        found += [
            route(f"{path}/infer", infer, "POST"),
            route(path, metadata),
            route(f"{path}/ready", model_ready),
        ]
    return found


def _number(version):
    if version is None:
        return None
    if not version.isdecimal() or len(version) > 18:
        raise RefusedError(404, f"A version must be a number; got {version[:100]!r}.")
    return int(version)


def _metadata(model, served):
    def described(tensors):
        return [
            {
                "name": tensor.name,
                "datatype": _NAMES.get(tensor.dtype, tensor.dtype),
                "shape": [-1 if size is None else size for size in tensor.shape],
            }
            for tensor in tensors
        ]

    return {
        "name": model.name,
        "versions": [str(number) for number in sorted(model.versions)],
        "platform": served.exported.platform,
        "inputs": described(served.exported.inputs),
        "outputs": described(served.exported.outputs),
    }


def _parsed(body, length, exported, loads):
    """Returns the JSON of a request, and its inputs as a dict of arrays."""
    if length is not None and not (length.isdecimal() and 0 < int(length) <= len(body)):
        raise RefusedError(400, f"Inference-Header-Content-Length must be at most {len(body)}.")
    end = len(body) if length is None else int(length)
    given, rest = read_json(body[:end], loads), body[end:]
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not inputs:
        raise RefusedError(400, "The body must have 'inputs', a list of at least one tensor.")
    types = {tensor.name: tensor.dtype for tensor in exported.inputs}
    if exported.takes_images:
        types[ENCODED] = "string"
    arrays = {}
    for tensor in inputs:
        name, dtype, shape = _head(tensor, types)
        size = _parameters(tensor).get("binary_data_size")
        if size is None:
            array = to_array(_flat(tensor.get("data"), name), dtype, name)
        else:
            if not isinstance(size, int) or not 0 <= size <= len(rest):
                raise RefusedError(
                    400, f"Input {name!r} must have 'binary_data_size' bytes behind the JSON."
                )
            array, rest = _from_bytes(rest[:size], dtype, name), rest[size:]
        if array.size != math.prod(shape):
            raise RefusedError(
                400, f"Input {name!r} must have {math.prod(shape)} values; got {array.size}."
            )
        if name in arrays:
            raise RefusedError(400, f"Input {name!r} must be given once.")
        arrays[name] = array.reshape(shape)
    if rest:
        raise RefusedError(400, f"The body has {len(rest)} bytes that belong to no input.")
    if ENCODED in arrays and arrays[ENCODED].ndim != 1:
        raise RefusedError(400, f"Input {ENCODED!r} must have the shape [number of files].")
    return given, arrays


def _parameters(thing):
    found = thing.get("parameters")
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise RefusedError(400, "'parameters' must be an object.")
    return found


def _head(tensor, types):
    if not isinstance(tensor, dict) or not isinstance(tensor.get("name"), str):
        raise RefusedError(
            400, "Each input must be an object with 'name', 'shape', 'datatype' and 'data'."
        )
    name, shape = tensor["name"], tensor.get("shape")
    if name not in types:
        raise RefusedError(
            400, f"The model has no input {name[:100]!r}; its inputs: {', '.join(types)}."
        )
    if tensor.get("datatype") != _NAMES[types[name]]:
        raise RefusedError(
            400,
            f"Input {name!r} must have the datatype {_NAMES[types[name]]}; got "
            f"{str(tensor.get('datatype'))[:100]}.",
        )
    sizes = shape if isinstance(shape, list) else [None]
    if not all(type(size) is int and 0 <= size < 2**31 for size in sizes) or len(sizes) > 8:
        raise RefusedError(400, f"Input {name!r} must have a 'shape', a list of integers.")
    return name, types[name], tuple(sizes)


def _flat(data, name):
    """The values of a tensor in JSON, which may be nested or not."""
    if not isinstance(data, (list, np.ndarray)):
        raise RefusedError(400, f"Input {name!r} must have 'data', a list.")
    return data


def _from_bytes(raw, dtype, name):
    if dtype != "string":
        wanted = np.dtype(dtype)
        if len(raw) % wanted.itemsize:
            raise RefusedError(
                400, f"Input {name!r} must have whole values of {wanted.itemsize} bytes."
            )
        return np.frombuffer(raw, wanted)
    items, at = [], 0
    while at < len(raw):
        size = int.from_bytes(raw[at : at + 4], "little")
        if at + 4 + size > len(raw):
            raise RefusedError(400, f"Input {name!r} must have the length before each string.")
        items.append(raw[at + 4 : at + 4 + size])
        at += 4 + size
    return np.array([*items, None], dtype=object)[:-1]


def _joined(found):
    try:
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}
    except ValueError:
        raise RefusedError(
            400, "Images of one request must have one size here, because outputs are tensors."
        ) from None


def _response(served, given, outputs):
    wanted = given.get("outputs") or [{"name": name} for name in outputs]
    if not isinstance(wanted, list) or not all(isinstance(item, dict) for item in wanted):
        raise RefusedError(400, "'outputs' must be a list of objects with 'name'.")
    binary = bool(_parameters(given).get("binary_data_output", False))
    tensors, parts = [], []
    for item in wanted:
        name = item.get("name")
        if name not in outputs:
            known = ", ".join(outputs)
            raise RefusedError(
                400, f"The model has no output {str(name)[:100]!r}; its outputs: {known}."
            )
        array = outputs[name]
        dtype = "string" if array.dtype.kind in "OSU" else array.dtype.name
        tensor = {"name": name, "datatype": _NAMES[dtype], "shape": list(array.shape)}
        if _parameters(item).get("binary_data", binary):
            parts.append(_to_bytes(array))
            tensor["parameters"] = {"binary_data_size": len(parts[-1])}
        else:
            flat = array.reshape(-1)
            tensor["data"] = plain(flat) if dtype == "string" else flat
        tensors.append(tensor)
    content = {"model_name": served.name, "model_version": str(served.version)}
    if given.get("id") is not None:
        content["id"] = str(given["id"])
    content["outputs"] = tensors
    if not parts:
        return json_response(content)
    head = json_text(content).encode()
    return Response(
        b"".join([head, *parts]),
        media_type="application/octet-stream",
        headers={"Inference-Header-Content-Length": str(len(head))},
    )


def _to_bytes(array):
    if array.dtype.kind not in "OSU":
        return np.ascontiguousarray(array).tobytes()
    items = [
        item.encode() if isinstance(item, str) else item for item in array.reshape(-1).tolist()
    ]
    return b"".join(struct.pack("<I", len(item)) + item for item in items)
