"""File names as printable text."""

import os


def printable(path):
    r"""Converts a path to text that can be encoded; bytes that are not UTF-8 become `\xff`."""
    return os.fsencode(path).decode(errors="backslashreplace")
