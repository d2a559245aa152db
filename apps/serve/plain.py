"""The interface for a first try: an image in, what the model says out, and a page to try it on."""

import functools
import io
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.responses import Response

from kerascnn_apps.serve.body import image_of, read_body
from kerascnn_apps.serve.guard import note
from kerascnn_apps.serve.json_arrays import json_response, plain
from kerascnn_apps.serve.limits import Held
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.routing import route

_PAGE = Path(__file__).with_name("page.html")
# Nothing comes from elsewhere, and nobody shows the page inside of another.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src data: blob:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'none'"
)


def routes(service):
    """Returns the routes of the page, of its list of models, and /predict."""

    @functools.cache
    def page_text():
        return _PAGE.read_text(encoding="utf-8")

    async def page(request):
        headers = {"Content-Security-Policy": _POLICY, "X-Content-Type-Options": "nosniff"}
        return Response(page_text(), media_type="text/html", headers=headers)

    async def models(request):
        return {"models": [_described(model) for model in service.models]}

    async def predict(request):
        model, version = map(request.query_params.get, ("model", "version"))
        if version is not None and not (version.isdecimal() and len(version) <= 18):
            raise RefusedError(404, f"A version must be a number; got {version[:100]!r}.")
        number = None if version is None else int(version)
        with Held(service.memory) as held, service.models.get(model).use(number) as served:
            note(request, model=served.name, version=served.version)
            if not served.exported.takes_images:
                raise RefusedError(400, "This model takes no images; use /v2/models/NAME/infer.")
            file = await image_of(request, await read_body(request, service.limits, held))
            async with service.deadline():
                (outputs,) = await service.on_files(served, [file], held)
                image = served.exported.metadata.get("image")
                if image not in outputs:
                    return json_response(_first(outputs))
                png = await service.in_thread(_png, outputs[image][0])
                return Response(png, media_type="image/png")

    return [route("/predict", predict, "POST"), route("/", page), route("/models", models)]


def _described(model):
    served = model.get()
    exported = served.exported
    keys = ("task", "class_names", "values", "factor")
    return {
        "name": model.name,
        "version": served.version,
        "takes_images": exported.takes_images,
        "max_pixels": served.max_pixels,
        **{key: exported.metadata[key] for key in keys if key in exported.metadata},
    }


def _first(outputs):
    """The first row of each output; strings as text."""
    rows = {name: np.asarray(value[0]) for name, value in outputs.items()}
    return {name: plain(row) if row.dtype.kind in "OSU" else row for name, row in rows.items()}


def _png(pixels):
    """Returns a uint8 array of an image as a PNG file."""
    pixels = pixels[..., 0] if pixels.ndim == 3 and pixels.shape[-1] == 1 else pixels
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()
