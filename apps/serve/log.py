"""The log: a line of JSON for each request and event, without what was sent."""

import datetime
import json
import logging
import sys

_log = logging.getLogger("kerascnn.serve")


def log_request(fields):
    """Logs a request, without the search for the caller that each call of `Logger.info` makes."""
    if _log.isEnabledFor(logging.INFO):
        record = logging.LogRecord(_log.name, logging.INFO, __file__, 0, "request", None, None)
        record.fields = fields
        _log.handle(record)


class JsonLines(logging.Formatter):
    """Writes records of the logger as JSON."""

    def format(self, record):
        time = datetime.datetime.fromtimestamp(record.created, datetime.UTC)
        line = {
            "time": time.isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def log_to(stream=None):
    """Writes the server's log, and warnings of uvicorn and asyncio, to a stream."""
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    levels = {"kerascnn.serve": "INFO", "uvicorn": "ERROR", "asyncio": "ERROR"}
    # What it warns of are faults of clients, with parts of what they sent.
    levels["python_multipart"] = "ERROR"
    for name, level in levels.items():
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(level)
        logger.propagate = False
