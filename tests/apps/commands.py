"""Commands as a user types them, in this process."""

import json

from PIL import Image

from kerascnn_apps.cli import run


def output(capsys, *arguments, status=0):
    """What a command prints; `status` is the exit status that it must have."""
    capsys.readouterr()
    assert run([str(argument) for argument in arguments]) == status
    return capsys.readouterr()


def predictions(capsys, *arguments, status=0):
    """What `classify predict` answers."""
    return json.loads(
        output(capsys, "classify", "predict", *arguments, "--json", status=status).out
    )


def image_size(path):
    """Width and height of an image file."""
    with Image.open(path) as image:
        return image.size
