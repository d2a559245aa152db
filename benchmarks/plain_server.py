"""The plainest server of a SavedModel: FastAPI, the model in the event loop, no batches."""

import argparse
from pathlib import Path

import tensorflow as tf
import uvicorn
from fastapi import FastAPI, Request

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--port", type=int)
arguments = parser.parse_args()
versions = [path for path in Path(arguments.folder).iterdir() if path.name.isdecimal()]
loaded = tf.saved_model.load(str(max(versions, key=lambda path: int(path.name))))
app = FastAPI()


@app.post("/predict")
async def predict(request: Request):
    body = await request.body()
    outputs = loaded.signatures["encoded_images"](encoded_images=tf.constant([body]))
    return {
        name: [item.decode() for item in tensor.numpy()]
        if tensor.dtype == tf.string
        else tensor.numpy().tolist()
        for name, tensor in outputs.items()
    }


if __name__ == "__main__":
    uvicorn.run(app, port=arguments.port, log_level="error")
