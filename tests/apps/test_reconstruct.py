import json

import numpy as np
import pytest
from PIL import Image

import kerascnn
from kerascnn.training import RunFolder
from tests.apps.commands import image_size, output


def test_from_training_to_export(small_runs, scenery, tmp_path, capsys):
    run = small_runs["reconstruct"]
    metrics = json.loads((run / "metrics.json").read_text())["test"]
    model = RunFolder(run).load_model()
    data = kerascnn.data.load_classification(scenery / "classify", image_size=28)
    ((images, _),) = data.pipeline("test")
    assert metrics["num_examples"] == len(images) == 2
    errors = np.mean((model.predict(images, verbose=0) - images.numpy()) ** 2, axis=(1, 2, 3))
    assert metrics["mean_squared_error"] == pytest.approx(errors.mean(), rel=1e-4)
    decibels = -10 * np.log10(errors)
    assert metrics["psnr"] == pytest.approx(decibels.mean(), rel=1e-4)
    assert metrics["worst_psnr"] == pytest.approx(decibels.min(), rel=1e-4)
    found = json.loads(output(capsys, "reconstruct", "evaluate", run, "--json").out)
    assert found == metrics
    plots = tmp_path / "plots"
    output(capsys, "reconstruct", "evaluate", run, "--split", "all", "--plots", plots)
    assert min(image_size(plots / "reconstructions.png")) > 300

    files = (run / "examples", "--out", tmp_path / "out")
    result, _ = json.loads(output(capsys, "reconstruct", "predict", run, *files, "--json").out)
    assert image_size(result["reconstructed"]) == (28, 28)
    pixels = np.asarray(Image.open(result["reconstructed"]), int)
    expected = model.predict(images[:1], verbose=0)[0] * 255
    assert np.abs(pixels - expected).max() <= 2  # the example was rounded, too
    text = output(capsys, "reconstruct", "export", run, "--out", tmp_path / "served").out
    assert text.split()[-1] == str(tmp_path / "served" / "1")


@pytest.mark.nightly
def test_it_learns(tmp_path, capsys):
    train = ("reconstruct", "train", "--epochs", 3, "--image-size", 8, "--out", tmp_path / "run")
    assert output(capsys, *train).out.startswith("test PSNR ")
    rows = (tmp_path / "run" / "history.csv").read_text().splitlines()
    losses = [float(row.split(",")[1]) for row in rows[1:]]
    # The mean of all pixels would give the variance of the digits.
    ((digits, _),) = kerascnn.data.load_classification("digits").pipeline("test", batch_size=360)
    assert losses[-1] < losses[0]
    assert losses[-1] < np.var(digits) / 3
