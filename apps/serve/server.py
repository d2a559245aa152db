"""The HTTP interface of an exported model."""

import tensorflow as tf
from fastapi import FastAPI, HTTPException, Request, Response


def create_server(path):
    """Builds the application for one SavedModel.

    `POST /predict` takes the bytes of a PNG or JPEG file as its body. A classifier answers with
    JSON (`class_name`, `class_id`, `probabilities`), a segmentation model with the mask and an
    upscaler with the picture, as PNG files; wrong input gets status 400 and a sentence.
    """
    loaded = tf.saved_model.load(str(path))  # must stay alive as long as its signatures
    server = FastAPI(title="kerascnn")
    server.state.model = loaded

    @server.get("/health")
    def health():
        return {"model": str(path)}

    @server.post("/predict")
    async def predict(request: Request):
        body = await request.body()
        try:
            answer = loaded.signatures["encoded_images"](encoded_images=tf.constant([body]))
        # TensorFlow quotes what it cannot decode, and that is seldom valid UTF-8.
        except (tf.errors.InvalidArgumentError, UnicodeDecodeError) as error:
            raise HTTPException(
                400, f"The body must be the bytes of a PNG or JPEG file; got {len(body)} bytes."
            ) from error
        for picture in ("mask", "images"):
            if picture in answer:
                pixels = answer[picture][0]
                pixels = pixels[..., tf.newaxis] if picture == "mask" else pixels
                return Response(tf.io.encode_png(pixels).numpy(), media_type="image/png")
        return {
            "class_name": answer["class_name"][0].numpy().decode(),
            "class_id": int(answer["class_id"][0]),
            "probabilities": answer["probabilities"][0].numpy().tolist(),
        }

    return server
