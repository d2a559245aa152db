"""A side in a process of its own, whose threads are idle while the other sides are timed."""

import json
import os
import subprocess
import sys
from pathlib import Path


class Worker:
    """The process of a script next to this one that calls `serve`.

    Args:
        script: str, the name of its file.
        settings: optional dict, changes of its environment.
    """

    def __init__(self, script, settings=None):
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name(script))],
            env={**os.environ, **(settings or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, what, **made_of):
        """The answer of the function `what` that the script makes of the other arguments."""
        self.process.stdin.write(json.dumps({"what": what, **made_of}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        """Ends the process."""
        self.process.stdin.close()
        self.process.wait()


def serve(make):
    """Answers each question on standard input.

    Args:
        make: function of the arguments of a question that makes a dict of functions, which answer
            it; called again only when the arguments change.
    """
    current, functions = None, None
    for line in sys.stdin:
        made_of = json.loads(line)
        what = made_of.pop("what")
        if made_of != current:
            current, functions = made_of, make(**made_of)
        print(json.dumps(functions[what]()), flush=True)
