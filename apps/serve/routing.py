"""Routes of Starlette, whose handlers return responses, or what JSON knows."""

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Where a request's scope has the path of its route, for the log and the figures
PATH = "kerascnn.path"


def route(path, handle, method="GET"):
    """Returns a route.

    Args:
        path: str, in Starlette's syntax.
        handle: coroutine function of the request and of the parameters in the path.
        method: str, the HTTP method.
    """

    async def endpoint(request):
        request.scope[PATH] = path
        found = await handle(request, **request.path_params)
        return found if isinstance(found, Response) else JSONResponse(found)

    return Route(path, endpoint, methods=[method])
