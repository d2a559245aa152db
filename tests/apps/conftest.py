import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from kerascnn.training import RunFolder
from kerascnn_apps.cli import run


@pytest.fixture(autouse=True, scope="session")
def figures_without_layout():
    """Saves figures small and without a layout, which takes a third of a short training."""
    save = RunFolder.save_figure

    def save_without_layout(run, name, figure):
        if isinstance(figure, Figure):  # it stays for the tests of other folders too
            figure.set_layout_engine("none")
            figure.set_dpi(30)
        return save(run, name, figure)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(RunFolder, "save_figure", save_without_layout)
        yield


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


TASKS = ("classify", "segment", "upscale", "reconstruct")


# The folder of `scenery` that each learns from
FOLDERS = {task: task for task in TASKS} | {"reconstruct": "classify"}


@pytest.fixture(scope="session")
def scenery(tmp_path_factory):
    """A folder of images, masks and classes: data for all tasks, in a few pixels."""
    root = tmp_path_factory.mktemp("scenery")
    rng = np.random.default_rng(0)
    for i in range(10):
        mask = np.zeros((60, 66), np.uint8)
        top, left = rng.integers(0, 30, 2)
        mask[top : top + 30, left : left + 30] = 1
        image = np.stack([mask * 150 + 40] * 3, -1) + rng.integers(0, 60, (60, 66, 3))
        for folder, pixels in (("images", image.astype(np.uint8)), ("masks", mask)):
            path = root / "segment" / folder / f"{i}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
        for path in (root / "classify" / "ab"[i % 2] / f"{i}.png", root / "upscale" / f"{i}.png"):
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image.astype(np.uint8)).save(path)
    (root / "segment" / "classes.txt").write_text("ground\nfield\n")
    return root


@pytest.fixture(scope="session")
def train_words(scenery):
    """`{task: words of its train command}`, for a training of few steps."""
    segment = ("--model", "unet", "--option", "width=8", "--option", "depth=1", "--crop-size")
    words = {
        "classify": ("--image-size", "28"),
        "segment": (*segment, "16", "16"),
        "upscale": ("--model", "espcn_x2", "--patches", "64"),
        "reconstruct": ("--image-size", "28", "--option", "width=4"),
    }
    return {
        task: [task, "train", "--data", str(scenery / folder), "--epochs", "1", *words[task]]
        for task, folder in FOLDERS.items()
    }


class SmallRuns(dict):
    """`{task: folder of a finished run}`, each trained when it is first asked for."""

    def __init__(self, words, root):
        super().__init__()
        self.words, self.root = words, root

    def __missing__(self, task):
        self[task] = self.root / task
        assert run([*self.words[task], "--out", str(self[task])]) == 0
        return self[task]


@pytest.fixture(scope="session")
def small_runs(train_words, tmp_path_factory):
    """`{task: folder of a finished run}`; take copies of them."""
    return SmallRuns(train_words, tmp_path_factory.mktemp("small"))
