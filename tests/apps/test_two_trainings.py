"""Two processes in one run folder."""

import json
import signal
import subprocess
import sys
import time

import pytest

from kerascnn.training import RunFolder
from tests.apps.commands import output

# The command, which stops for good when its second epoch is on disk.
TRAIN = """
import sys, time
from kerascnn.training import callbacks
from kerascnn_apps.cli import main

def stop(record, epoch, logs=None, real=callbacks.Record.on_epoch_begin):
    if epoch == 2:
        print("two epochs are done", flush=True)
        time.sleep(600)
    real(record, epoch, logs)

callbacks.Record.on_epoch_begin = stop
sys.argv[0] = "kerascnn"
main()
"""


@pytest.fixture
def words(train_words, tmp_path):
    found = [*train_words["classify"], "--out", str(tmp_path / "run")]
    found[found.index("--epochs") + 1] = "3"
    return found


@pytest.fixture
def training(words):
    process = subprocess.Popen(
        [sys.executable, "-c", TRAIN, *words], stdout=subprocess.PIPE, text=True
    )
    assert "two epochs are done\n" in iter(process.stdout.readline, "")
    yield process
    process.kill()
    process.communicate()


def contents(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_second_training_is_refused_and_a_killed_one_resumes(training, words, tmp_path, capsys):
    out = tmp_path / "run"
    before = contents(tmp_path)
    for more in ([], ["--force"], ["--epochs", "5", "--force"]):
        began = time.perf_counter()
        error = output(capsys, *words, *more, status=1).err
        assert f"{out} is in use by process {training.pid} on " in error
        assert "(kerascnn classify train --data " in error
        assert time.perf_counter() - began < 60
    # The model so far can be used meanwhile.
    found = json.loads(output(capsys, "classify", "evaluate", out, "--json").out)
    assert found["num_examples"] == 2
    output(capsys, "classify", "predict", out, words[words.index("--data") + 1])
    assert contents(tmp_path) == before

    training.send_signal(signal.SIGKILL)
    training.wait()
    first = (out / "history.csv").read_text()
    output(capsys, *words)
    assert RunFolder(out).state == "finished"
    history = (out / "history.csv").read_text()
    assert history.startswith(first)
    assert len(history.splitlines()) == 4
    assert not list(out.rglob(".*"))  # neither a lock nor a file half written
