"""The console entry point, which also works when the command's libraries are missing."""

import sys


def main():
    """Runs the command `kerascnn`, or explains how to install what it needs."""
    try:
        from kerascnn_apps.cli import main as run
    except ModuleNotFoundError as error:
        from kerascnn.missing import how_to_install

        sentence = how_to_install(error, "The command")
        if sentence is None:
            raise
        sys.exit(f"kerascnn: {sentence}")  # on standard error, with status 1
    run()
