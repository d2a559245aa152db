"""The HTTP interface of an exported model."""

import io

from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.concurrency import run_in_threadpool

from kerascnn.data import UnreadableImageError
from kerascnn.data.images import to_pillow
from kerascnn.export import load_exported

# The output that is an image, in exports of before they said so themselves
_IMAGES = ("mask", "images")


def create_server(path):
    """Builds the application for one export of any format.

    `POST /predict` takes the bytes of a PNG or JPEG file as its body. It returns the output that is
    an image as a PNG file (a mask, an upscaled image), and otherwise all outputs as JSON
    (`class_name`, `class_id`, `probabilities`); wrong input gets status 400 and a sentence.
    """
    exported = load_exported(path)
    server = FastAPI(title="kerascnn")
    server.state.model = exported

    @server.get("/health")
    def health():
        return {"model": str(exported.path)}

    @server.post("/predict")
    async def predict(request: Request):
        body = await request.body()
        try:
            outputs = await run_in_threadpool(exported.decode, [body])
        except UnreadableImageError as error:
            raise HTTPException(400, f"{error} The body has {len(body)} bytes.") from error
        older = next((name for name in _IMAGES if name in outputs), None)
        image = exported.metadata.get("image") if exported.metadata else older
        if image:
            return Response(_png(outputs[image][0]), media_type="image/png")
        return {name: array[0].tolist() for name, array in outputs.items()}

    return server


def _png(pixels):
    file = io.BytesIO()
    to_pillow(pixels[..., None] if pixels.ndim == 2 else pixels).save(file, "PNG")
    return file.getvalue()
