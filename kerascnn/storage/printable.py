"""Names of files as text."""

import os


def printable(path):
    r"""Returns a path as text that can be encoded; a byte that is not UTF-8 becomes `\xff`."""
    return os.fsencode(path).decode(errors="backslashreplace")
