"""The HTTP interface of an exported model."""

import tensorflow as tf
from fastapi import FastAPI, HTTPException, Request, Response

from kerascnn.export.saved_model import read_metadata

# The output that is an image, in exports of before they said so themselves
_IMAGES = ("mask", "images")


def create_server(path):
    """Builds the application for one SavedModel.

    `POST /predict` takes the bytes of a PNG or JPEG file as its body. It returns the output that is
    an image as a PNG file (a mask, an upscaled image), and otherwise all outputs as JSON
    (`class_name`, `class_id`, `probabilities`); wrong input gets status 400 and a sentence.
    """
    loaded = tf.saved_model.load(str(path))  # must stay alive as long as its signatures
    metadata = read_metadata(path)
    server = FastAPI(title="kerascnn")
    server.state.model = loaded

    @server.get("/health")
    def health():
        return {"model": str(path)}

    @server.post("/predict")
    async def predict(request: Request):
        body = await request.body()
        try:
            outputs = loaded.signatures["encoded_images"](encoded_images=tf.constant([body]))
        # TensorFlow quotes what it cannot decode, and that is seldom valid UTF-8.
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:
            raise HTTPException(
                400, f"The body must be the bytes of a PNG or JPEG file; got {len(body)} bytes."
            ) from error
        older = next((name for name in _IMAGES if name in outputs), None)
        image = metadata.get("image") if metadata else older
        if image:
            pixels = outputs[image][0]
            pixels = pixels[..., tf.newaxis] if pixels.shape.rank == 2 else pixels
            return Response(tf.io.encode_png(pixels).numpy(), media_type="image/png")
        return {name: _as_json(tensor[0].numpy()) for name, tensor in outputs.items()}

    return server


def _as_json(value):
    return value.decode() if isinstance(value, bytes) else value.tolist()
