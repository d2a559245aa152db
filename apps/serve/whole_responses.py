"""Responses to clients of HTTP/1.0, which know no chunks."""


class WholeResponses:
    """ASGI middleware: responses without a length get one, if the client speaks HTTP/1.0.

    RFC 9112, section 6.1: a server must not send chunks to such a client.

    Args:
        app: ASGI application.
    """

    def __init__(self, app):
        self._app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] != "http" or scope.get("http_version") != "1.0":
            await self._app(scope, receive, send)
            return
        start, pieces = None, []

        async def gathered(message):
            nonlocal start
            if message["type"] == "http.response.start":
                names = [name.lower() for name, _ in message.get("headers", ())]
                if b"content-length" in names:
                    await send(message)
                else:
                    start = message
            elif start is None:
                await send(message)
            else:
                pieces.append(message.get("body", b""))
                if not message.get("more_body", False):
                    body = b"".join(pieces)
                    length = (b"content-length", str(len(body)).encode())
                    await send({**start, "headers": [*start.get("headers", ()), length]})
                    await send({"type": "http.response.body", "body": body})

        await self._app(scope, receive, gathered)
