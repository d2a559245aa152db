"""The application: all interfaces over one `Service`."""

import contextlib

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from kerascnn_apps.serve import open_inference, operations, plain, tensorflow_rest
from kerascnn_apps.serve.guard import Guard, RequestLog
from kerascnn_apps.serve.limits import Limits
from kerascnn_apps.serve.metrics import Metrics
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.service import Service
from kerascnn_apps.serve.whole_responses import WholeResponses

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
        `starlette.applications.Starlette`, with the `Service` at `state.service`.
    """
    service = Service(models, limits or Limits(), metrics)

    @contextlib.asynccontextmanager
    async def lifespan(app):
        models.start(service.metrics.on_batch)
        yield
        await service.close()

    middleware = [Middleware(WholeResponses), Middleware(RequestLog, service=service)]
    if origins:
        # Around the guard: browsers ask first without a key, and read errors only with its headers.
        allowed = {"allow_methods": ["GET", "POST"], "allow_headers": ["*"]}
        middleware.append(Middleware(CORSMiddleware, allow_origins=list(origins), **allowed))
    middleware.append(Middleware(Guard, service=service, keys=keys))
    app = Starlette(
        routes=[
            found
            for part in (plain, tensorflow_rest, open_inference, operations)
            for found in part.routes(service)
        ],
        middleware=middleware,
        exception_handlers={RefusedError: _refused, HTTPException: _not_routed},
        lifespan=lifespan,
    )
    app.state.service = service
    return app


async def _refused(request, refusal):
    return refusal.response()


async def _not_routed(request, error):
    sentence = _SENTENCES.get(error.status_code, str(error.detail))
    return RefusedError(error.status_code, sentence, dict(error.headers or {})).response()
