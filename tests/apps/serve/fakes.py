"""Models in a few lines of NumPy, behind the real server."""

import io

import numpy as np
from PIL import Image


class FakeExport:
    """A classifier of brightness, as the server sees exports; `function` replaces what it does."""

    platform = "fake"
    takes_images = True
    task = "classification"
    channels = None

    def __init__(self, function=None, metadata=None):
        from kerascnn_apps.serve.exported import Tensor

        self.function = function or brightness
        self.metadata = metadata or {"task": "classification"}
        self.inputs = (Tensor("images", "uint8", (None, None, None, None)),)
        self.outputs = (
            Tensor("class_id", "int64", (None,)),
            Tensor("class_name", "string", (None,)),
            Tensor("mean", "float32", (None,)),
        )

    def __call__(self, **arrays):
        return self.function(**arrays)

    def max_pixels(self, wanted):
        return wanted or 1_000_000


def brightness(images):
    mean = images.reshape(len(images), -1).mean(axis=1, dtype=np.float32)
    class_id = (mean > 127).astype(np.int64)
    return {
        "class_id": class_id,
        "class_name": np.array([b"dark", b"light"])[class_id],
        "mean": mean,
    }


def gray_png(value, height=4, width=5):
    """A PNG file of one gray."""
    file = io.BytesIO()
    Image.new("L", (width, height), value).save(file, "PNG")
    return file.getvalue()


def version_folder(root, *numbers):
    """A folder of versions that fake exports are loaded from."""
    for number in numbers:
        folder = root / str(number)
        folder.mkdir(parents=True)
        (folder / "saved_model.pb").touch()
    return root


def models_of(root, functions=None, limits=None, **options):
    """The `Models` of fake exports, by name; functions decide what each computes."""
    from kerascnn_apps.serve.limits import Limits
    from kerascnn_apps.serve.models import Model, Models

    made = []
    for name, function in (functions or {"gray": brightness}).items():
        folder = version_folder(root / name, 1)
        load = lambda path, function=function: FakeExport(function)  # noqa: E731
        made.append(Model(name, folder, limits or Limits(), load, **options))
    return Models(made, poll_seconds=0)


def client_of(root, functions=None, limits=None, **options):
    """A client of the application with fake models; to be used in a `with`."""
    from starlette.testclient import TestClient

    from kerascnn_apps.serve.app import create_app

    return TestClient(create_app(models_of(root, functions, limits), limits, **options))


def limits(**changed):
    """The `Limits` of a server, some of them changed."""
    from kerascnn_apps.serve.limits import Limits

    return Limits(**changed)


def refused(response, status, words):
    """Checks that a request was refused with a status, and why."""
    assert response.status_code == status, response.text
    assert words in response.json()["error"]
