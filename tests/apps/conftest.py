import numpy as np
import pytest
from PIL import Image

from kerascnn_apps.command import run


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """A run of two epochs on the embedded digits."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    assert run(["classify", "train", "--epochs", "2", "--out", str(folder)]) == 0
    return folder


@pytest.fixture
def pictures(tmp_path):
    """A folder of two classes of pictures, ten each."""
    rng = np.random.default_rng(0)
    for name, channel in (("red", 0), ("blue", 2)):
        (tmp_path / "pictures" / name).mkdir(parents=True)
        for i in range(10):
            image = rng.integers(0, 60, (20 + i, 30, 3))
            image[..., channel] += 180
            path = tmp_path / "pictures" / name / f"{i}.png"
            Image.fromarray(image.astype(np.uint8)).save(path)
    return tmp_path / "pictures"
