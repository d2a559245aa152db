"""What commands print beside their results."""

import re
import shlex
import sys


def command_line():
    """Returns what the user typed."""
    return shlex.join(["kerascnn", *sys.argv[1:]])


def readable(text):
    r"""Returns a message in which bytes of a file name that are not UTF-8 are written as `\xff`."""
    # Python has them as U+DC80 to U+DCFF.
    return re.sub("[\udc80-\udcff]", lambda byte: f"\\x{ord(byte[0]) - 0xDC00:02x}", text)


def report_errors(errors):
    """Prints a sentence for each file that could not be used; the last ends the command."""
    for error in errors[:-1]:
        print(f"kerascnn: {readable(str(error))}", file=sys.stderr)
    if errors:
        raise errors[-1]
