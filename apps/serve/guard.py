"""What holds for every request: the key, the log, the figures, and errors as JSON."""

import hmac
import logging
import time

from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse

from kerascnn_apps.serve.log import log_request
from kerascnn_apps.serve.routing import PATH

_log = logging.getLogger("kerascnn.serve")
# What orchestrators ask without a key, and the page, which has nothing of the models in it
_OPEN = ("/", "/healthz", "/readyz", "/v2/health/live", "/v2/health/ready")
_CLIENT_LEFT = 499


class RequestLog:
    """ASGI middleware around the whole application: the log and the figures.

    Args:
        app: ASGI application.
        service: `Service`.
    """

    def __init__(self, app, service):
        self._app, self._service = app, service

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, seen = time.monotonic(), {"status": None, "bytes_out": 0}
        facts = scope["kerascnn"] = {}

        async def watched(message):
            if message["type"] == "http.response.start":
                seen["status"] = message["status"]
                if self._service.draining:
                    headers = [*message.get("headers", ()), (b"connection", b"close")]
                    message = {**message, "headers": headers}
            else:
                seen["bytes_out"] += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            seen["status"] = _CLIENT_LEFT
        finally:
            self._record(scope, seen, facts, time.monotonic() - begin)

    def _record(self, scope, seen, facts, seconds):
        route = scope.get(PATH, "other")
        self._service.metrics.on_request(route, seen["status"] or 500, seconds)
        fields = {
            "client": (scope.get("client") or ("",))[0],
            "method": scope["method"],
            "path": scope["path"],
            "status": seen["status"] or 500,
            "milliseconds": round(1000 * seconds, 1),
            "bytes_out": seen["bytes_out"],
            **facts,
        }
        log_request(fields)


class Guard:
    """ASGI middleware inside `RequestLog`: the key, the queue, and errors as JSON.

    Args:
        app: ASGI application.
        service: `Service`.
        keys: collection of str; with none, everybody may ask.
    """

    def __init__(self, app, service, keys=()):
        self._app, self._service = app, service
        self._keys = [key.encode() for key in keys]

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if not self._may(scope):
            headers = {"WWW-Authenticate": "Bearer"}
            sentence = "A key is needed: send the header 'Authorization: Bearer KEY'."
            await JSONResponse({"error": sentence}, 401, headers)(scope, receive, send)
            return
        queue = self._service.queue
        if scope["method"] == "POST" and queue.held >= queue.limit:
            # At once, so that what is refused takes little from what is computed
            await queue.refusal().response()(scope, receive, send)
            return
        started = False

        async def watched(message):
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, watched)
        except ClientDisconnect:
            raise
        except Exception:
            _log.exception("error", extra={"fields": {"path": scope["path"]}})
            if not started:
                sentence = "The server failed on this request; its log has the reason."
                await JSONResponse({"error": sentence}, 500)(scope, receive, send)

    def _may(self, scope):
        if not self._keys or scope["path"] in _OPEN:
            return True
        headers = dict(scope["headers"])
        given = headers.get(b"x-api-key", b"")
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() == b"bearer":
            given = token.strip()
        # All keys are compared, so that the time does not depend on which one is right.
        return sum(hmac.compare_digest(given, key) for key in self._keys) > 0


def note(request, **facts):
    """Adds facts to the line of a request in the log, such as the version that responded."""
    request.scope["kerascnn"].update(facts)
