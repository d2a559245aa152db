"""Connections: what HTTP allows before a request reaches the application, and for how long."""

import sys

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from kerascnn_apps.serve.refusal import raw_response
from kerascnn_apps.serve.upgrades import Parser

_VERSIONS = ("1.0", "1.1")
# The first are the words of httptools itself.
_WRONG_VERSION, _TOO_LONG = "Invalid HTTP version", "Too long headers"
# Bytes that a refused client sent are read for so long, so that it sees the response.
_LINGER_SECONDS = 1.0
# How much longer than allowed a body may still arrive whose request has its response.
_REST_SECONDS = 3.0
# When the server ends, requests that are on their way are waited for.
_LAST_REQUEST_SECONDS = 2.0


def limited_protocol(limits, on_refused):
    """Returns uvicorn's protocol class with time-outs and limits of connections and headers.

    Args:
        limits: `Limits`.
        on_refused: function of the status of a request that did not reach the application, and of
            the address of its client.
    """

    class LimitedProtocol(HttpToolsProtocol):
        """One connection."""

        _timer = None  # for the headers
        _body_timer = None
        _send_timer = None
        _header_bytes = 0  # of the request that is read, or of the trailers after its body
        _in_body = False
        _refused = _is_surplus = False

        def __init__(self, *arguments, **named):
            super().__init__(*arguments, **named)
            self.parser = Parser(self)

        def connection_made(self, transport):
            super().connection_made(transport)
            self._is_surplus = len(self.connections) > limits.max_connections
            if self._is_surplus:
                self.connections.discard(self)
                self.loop.call_later(_LINGER_SECONDS, self._refuse_connection)
            else:
                self._start_timer()

        def connection_lost(self, exc):
            self._stop_timer()
            self._stop_body_timer()
            self._stop_send_timer()
            super().connection_lost(exc)

        def data_received(self, data):
            if self._refused:
                return
            if self._is_surplus:
                self._refuse_connection()
                return
            self._header_bytes += len(data)
            super().data_received(data)
            in_headers = self._timer is not None or self._in_body
            if in_headers and self._header_bytes > limits.max_headers:
                self._refuse_headers()
            elif self._is_idle() and self._timer is None and self.timeout_keep_alive_task is None:
                self._start_timer()  # for bytes that begin no request

        def _is_idle(self):
            return not self._in_body and (self.cycle is None or self.cycle.response_complete)

        def on_message_begin(self):
            super().on_message_begin()
            if self._timer is None:
                self._start_timer()

        def on_header(self, name, value):
            if not self._in_body:  # trailers are not needed
                super().on_header(name, value)

        def on_headers_complete(self):
            if self.parser.should_upgrade():
                return  # the parser reads it again, without the offer
            self._stop_timer()
            if self.parser.get_http_version() not in _VERSIONS:
                raise ValueError(_WRONG_VERSION)
            if sum(len(name) + len(value) for name, value in self.headers) > limits.max_headers:
                raise ValueError(_TOO_LONG)
            super().on_headers_complete()
            self._in_body, self._header_bytes = True, 0
            self._start_body_timer()

        def on_body(self, body):
            self._header_bytes = 0
            super().on_body(body)

        def on_message_complete(self):
            if self.parser.should_upgrade():
                return
            self._in_body, self._header_bytes = False, 0
            self._stop_body_timer()
            super().on_message_complete()

        def send_400_response(self, msg):
            # httptools gives the reason only in its error, and wraps errors of callbacks.
            error = sys.exc_info()[1]
            reason = f"{error} {error.__context__ or ''}" if error else ""
            if _WRONG_VERSION in reason:
                sentence = "The HTTP version must be 1.0 or 1.1."
                self._refuse(505, "HTTP Version Not Supported", sentence)
            elif _TOO_LONG in reason:
                self._refuse_headers()
            else:
                self._refuse(400, "Bad Request", "The bytes that came are not a request in HTTP.")

        def pause_writing(self):
            super().pause_writing()
            if self._send_timer is None:
                self._send_timer = self.loop.call_later(limits.send_seconds, self.transport.abort)

        def resume_writing(self):
            self._stop_send_timer()
            super().resume_writing()

        def timeout_keep_alive_handler(self):
            if self.transport.get_write_buffer_size():  # the client takes nothing
                self.transport.abort()
            super().timeout_keep_alive_handler()

        def _start_body_timer(self):
            self._stop_body_timer()
            self._body_timer = self.loop.call_later(
                limits.body_seconds + _REST_SECONDS, self._on_body_timer
            )

        def _stop_body_timer(self):
            if self._body_timer is not None:
                self._body_timer.cancel()
                self._body_timer = None

        def _on_body_timer(self):
            if self.cycle.response_complete:  # nobody reads the rest
                self.transport.abort()
            else:  # the application, which has the same limit
                self._start_body_timer()

        def _start_timer(self):
            self._header_bytes = 0
            self._timer = self.loop.call_later(limits.header_seconds, self._on_timer)

        def _stop_timer(self):
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

        def _stop_send_timer(self):
            if self._send_timer is not None:
                self._send_timer.cancel()
                self._send_timer = None

        def _on_timer(self):
            if self.cycle is not None and not self.cycle.response_complete:
                return  # a request before it is still computed
            if self._header_bytes:
                sentence = f"The headers must arrive within {limits.header_seconds:g} seconds."
                self._refuse(408, "Request Timeout", sentence)
            else:
                self.transport.close()

        def _refuse_connection(self):
            sentence = f"The server has its {limits.max_connections} connections; try later."
            self._refuse(429, "Too Many Requests", sentence, ["Retry-After: 1"])

        def _refuse_headers(self):
            if self._in_body and self.cycle.response_started:
                self.transport.abort()
                return
            sentence = f"The headers must have at most {limits.max_headers} bytes."
            self._refuse(431, "Request Header Fields Too Large", sentence)

        def _refuse(self, status, phrase, sentence, headers=()):
            self._stop_timer()
            if self.transport.is_closing() or self._refused:
                return
            self._refused = True
            self.connections.discard(self)  # while it lingers, others may come
            on_refused(status, self.client)
            self.transport.write(raw_response(status, phrase, sentence, headers))
            if self.transport.can_write_eof():
                self.transport.write_eof()
            self.loop.call_later(_LINGER_SECONDS, self.transport.abort)

        def shutdown(self):
            # A request may be on its way, on a new connection or after the last response.
            if self._is_idle() and not self._refused:
                seconds = min(_LAST_REQUEST_SECONDS, limits.drain_seconds / 2)
                self.loop.call_later(seconds, super().shutdown)
            else:
                super().shutdown()

        def eof_received(self):
            if self._refused:
                self.transport.close()

    return LimitedProtocol
