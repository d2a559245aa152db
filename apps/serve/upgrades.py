"""Requests that offer another protocol, as some clients do for HTTP/2, are taken as HTTP/1.1.

RFC 9110, section 7.8: a server may ignore the header `Upgrade`. httptools ends a request at its
headers instead, and leaves the rest to a server for the other protocol.
"""

import httptools

# Both are for the next server alone, and `Connection` says so (RFC 7540, section 3.2.1).
_OFFERS = (b"upgrade", b"http2-settings")


class Parser:
    """`httptools.HttpRequestParser` without offers of another protocol.

    Args:
        protocol: object with the callbacks of httptools, and uvicorn's attributes `url` and
            `headers` of the request that is read.
    """

    def __init__(self, protocol):
        self._protocol = protocol
        self._start()

    def _start(self):
        self._parser = httptools.HttpRequestParser(self._protocol)
        # As uvicorn sets it: data after a request that closes the connection is no error.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)

    def __getattr__(self, name):
        return getattr(self._parser, name)

    def feed_data(self, data):
        """Reads bytes, as httptools does.

        Raises:
            httptools.HttpParserError: if they are not HTTP, or a request to connect to another
                server.
        """
        while data:
            try:
                self._parser.feed_data(data)
            except httptools.HttpParserUpgrade as offer:
                if self._parser.get_method() == b"CONNECT":
                    raise httptools.HttpParserError("CONNECT is for proxies") from None
                head = self._head()
                self._start()
                self._parser.feed_data(head)
                data = data[offer.args[0] :]
            else:
                break

    def _head(self):
        """Returns the head of the request that was read, without its offers."""
        version = self._parser.get_http_version().encode()
        lines = [b" ".join([self._parser.get_method(), self._protocol.url, b"HTTP/" + version])]
        for name, value in self._protocol.headers:
            if name == b"connection":
                words = [word.strip() for word in value.split(b",")]
                value = b", ".join(word for word in words if word.lower() not in _OFFERS)
            if name not in _OFFERS and (value or name != b"connection"):
                lines.append(name + b": " + value)
        return b"\r\n".join(lines) + b"\r\n\r\n"
