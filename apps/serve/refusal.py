"""Requests that get an error, and the form of errors."""

import asyncio
import json

from starlette.responses import JSONResponse

# A client that still sends its body sees the response only if the connection stays open meanwhile.
_LINGER_SECONDS = 2.0


class RefusedError(Exception):
    """A request that gets an error.

    Args:
        status: int, the HTTP status.
        sentence: str, what is wrong and what to do.
        headers: optional dict of further headers.
        unfinished: bool, whether the body was not read to its end.
    """

    def __init__(self, status, sentence, headers=None, unfinished=False):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.headers, self.unfinished = headers or {}, unfinished

    def response(self):
        """Returns the response: `{"error": sentence}`, as in both protocols."""
        make = _LingeringResponse if self.unfinished else JSONResponse
        return make({"error": self.sentence}, self.status, headers=self.headers)


class _LingeringResponse(JSONResponse):
    """Sends the response at once, then discards what the client sends for a short time."""

    def __init__(self, content, status_code, headers):
        super().__init__(content, status_code, headers={**headers, "Connection": "close"})

    async def __call__(self, scope, receive, send):
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        try:
            async with asyncio.timeout(_LINGER_SECONDS):
                while True:
                    message = await receive()
                    if message["type"] != "http.request" or not message["more_body"]:
                        break
        except TimeoutError:
            pass
        await send({"type": "http.response.body", "body": b""})


def raw_response(status, phrase, sentence, headers=()):
    """Returns an error as bytes, for connections that have no valid request."""
    body = json.dumps({"error": sentence}).encode()
    lines = [
        f"HTTP/1.1 {status} {phrase}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
