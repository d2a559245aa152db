"""Messages that commands print in addition to their results."""

import re
import shlex
import sys


def command_line():
    """Returns the command line as the user typed it."""
    return shlex.join(["kerascnn", *sys.argv[1:]])


def readable(text):
    r"""Returns a message with the bytes of file names that are not UTF-8 written as `\xff`."""
    # Python decodes them as U+DC80 to U+DCFF.
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)


def report_errors(errors):
    """Prints an error for each file that could not be used, and raises the last one."""
    for error in errors[:-1]:
        print(f"kerascnn: {readable(str(error))}", file=sys.stderr)
    if errors:
        raise errors[-1]
