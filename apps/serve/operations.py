"""What those who run the server ask it."""

from fastapi import APIRouter, Response

from kerascnn_apps.serve import metrics
from kerascnn_apps.serve.refusal import RefusedError


def routes(service):
    """Returns the routes of health and figures."""
    router = APIRouter()

    @router.get("/healthz")
    async def health():
        return {"status": "ok"}

    @router.get("/readyz")
    async def ready():
        if service.draining:
            raise RefusedError(503, "The server is ending.")
        versions = {model.name: sorted(model.versions) for model in service.models}
        return {"status": "ready", "models": versions}

    @router.get("/metrics")
    async def figures():
        return Response(service.metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    return router
