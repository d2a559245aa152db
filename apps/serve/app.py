"""The application: all interfaces over one `Service`."""

import contextlib

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware

from kerascnn_apps.serve import open_inference, operations, plain, tensorflow_rest
from kerascnn_apps.serve.guard import Guard, RequestLog
from kerascnn_apps.serve.limits import Limits
from kerascnn_apps.serve.metrics import Metrics
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.service import Service

_SENTENCES = {
    404: "There is nothing at this path; see /predict, /v1/models/NAME and /v2/models/NAME.",
    405: "This path does not take this method.",
}


def create_app(models, limits=None, keys=(), origins=(), metrics=Metrics):
    """Builds the application.

    It must be used with its lifespan: `with TestClient(create_app(models)) as client`.

    Args:
        models: `Models`.
        limits: optional `Limits`.
        keys: collection of str, of which a request must have one; with none, everybody may ask.
        origins: collection of str, the origins of web pages that may ask from elsewhere.
        metrics: class of the figures, as for `Service`.

    Returns:
        `fastapi.FastAPI`, with the `Service` at `state.service`.
    """
    service = Service(models, limits or Limits(), metrics)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        models.start(service.metrics.on_batch)
        yield
        await service.close()

    # FastAPI's own pages load their scripts from the internet.
    app = FastAPI(title="kerascnn", lifespan=lifespan, openapi_url=None)
    app.state.service = service
    for part in (operations, plain, tensorflow_rest, open_inference):
        app.include_router(part.routes(service))
    # The last one that is added is the outermost.
    app.add_middleware(Guard, service=service, keys=keys)
    if origins:
        # Around the guard: browsers ask first without a key, and read errors only with its headers.
        allowed = {"allow_methods": ["GET", "POST"], "allow_headers": ["*"]}
        app.add_middleware(CORSMiddleware, allow_origins=list(origins), **allowed)
    app.add_middleware(RequestLog, service=service)

    @app.exception_handler(RefusedError)
    async def refused(request: Request, refusal):
        return refusal.response()

    @app.exception_handler(HTTPException)
    async def not_routed(request: Request, error):
        sentence = _SENTENCES.get(error.status_code, str(error.detail))
        return RefusedError(error.status_code, sentence, dict(error.headers or {})).response()

    return app
