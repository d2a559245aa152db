"""What those who run the server ask it."""

from starlette.responses import Response

from kerascnn_apps.serve import metrics
from kerascnn_apps.serve.refusal import RefusedError
from kerascnn_apps.serve.routing import route


def routes(service):
    """Returns the routes of health and figures."""

    async def health(request):
        return {"status": "ok"}

    async def ready(request):
        if service.draining:
            raise RefusedError(503, "The server is ending.")
        versions = {model.name: sorted(model.versions) for model in service.models}
        return {"status": "ready", "models": versions}

    async def figures(request):
        return Response(service.metrics.text(), headers={"Content-Type": metrics.CONTENT_TYPE})

    return [route("/healthz", health), route("/readyz", ready), route("/metrics", figures)]
