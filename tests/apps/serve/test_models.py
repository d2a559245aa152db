import gc
import os
import threading
import time
import weakref

import pytest

from kerascnn.arguments import UsageError
from kerascnn_apps.cli import run
from kerascnn_apps.serve.main import labels_of, named_folders, read_keys
from tests.apps.serve.fakes import FakeExport, version_folder

pytestmark = pytest.mark.extra("serve")


def model_of(folder, load=None, **options):
    from kerascnn_apps.serve.limits import Limits
    from kerascnn_apps.serve.models import Model

    model = Model("gray", folder, Limits(), load or (lambda path: FakeExport()), **options)
    model.on_batch = lambda *figures: None
    return model


def look(model):
    """Looks twice, as what is new may still be written at the first look."""
    model.refresh()
    model.refresh()


def test_newest_version(tmp_path):
    from kerascnn_apps.serve.models import newest_versions

    version_folder(tmp_path / "export", 2, 10, 7)
    (tmp_path / "export" / "notes").mkdir()
    for folder in (tmp_path, tmp_path / "export"):
        assert list(newest_versions(folder)) == [10]
        assert list(newest_versions(folder, keep=2)) == [7, 10]
        assert list(newest_versions(folder, also=[2, 5])) == [2, 10]
    assert newest_versions(tmp_path / "export" / "2") == {2: tmp_path / "export" / "2"}


@pytest.mark.extra("export")
def test_a_file_for_a_faster_runtime_takes_the_place_of_the_newest_version(tmp_path):
    from kerascnn_apps.serve.models import newest_versions

    folder = version_folder(tmp_path / "digits" / "export", 1, 2)
    file, quantized = folder / "digits.onnx", folder / "digits.int8.onnx"
    quantized.touch()
    assert newest_versions(folder) == {2: folder / "2"}
    file.touch()
    assert newest_versions(tmp_path / "digits", keep=2) == {1: folder / "1", 2: file}
    assert newest_versions(quantized) == {1: quantized}
    os.utime(file, (1, 1))  # a version was exported since
    assert newest_versions(folder) == {2: folder / "2"}


def test_a_new_version_takes_over_and_the_old_one_is_drained(tmp_path):
    model = model_of(version_folder(tmp_path, 1))
    with model.use() as old:
        version_folder(tmp_path, 2)
        look(model)
        assert model.get().version == 2
        assert list(model.draining) == [1]
        # What has begun with the old version can still be computed.
        assert old.batcher.submit({"images": _image()}).result(10)["class_id"] == [0]
    until = time.monotonic() + 10
    while model.draining and time.monotonic() < until:
        time.sleep(0.01)
    assert not model.draining
    model.close(1)


def test_the_memory_of_a_drained_version_is_given_back(tmp_path):
    watched, freed = [], {1: threading.Event(), 2: threading.Event()}

    def load(path):
        export = FakeExport()
        export.itself = export  # as functions of TensorFlow: only a search for garbage frees it
        on_end = freed[int(path.name)].set
        watched.append(weakref.ref(export, lambda _: on_end()))
        return export

    model = model_of(version_folder(tmp_path, 1), load)
    gc.disable()
    try:
        version_folder(tmp_path, 2)
        look(model)
        assert freed[1].wait(10)
    finally:
        gc.enable()
    assert not freed[2].is_set()
    model.close(1)


def _image():
    import numpy as np

    return np.zeros((1, 2, 2, 1), np.uint8)


def test_a_broken_version_leaves_the_old_one(tmp_path):
    broken = {2}

    def load(path):
        if int(path.name) in broken:
            raise UsageError(f"{path} is broken.")
        return FakeExport()

    model = model_of(version_folder(tmp_path, 1), load)
    version_folder(tmp_path, 2)
    look(model)
    assert list(model.versions) == [1]
    assert "is broken" in model.failures[2]
    version_folder(tmp_path, 3)
    look(model)
    assert list(model.versions) == [3]
    model.close(1)


def test_a_broken_version_at_the_start_leaves_the_one_before(tmp_path):
    """A server that is started again serves what it did before."""

    def load(path):
        if int(path.name) > 2:
            raise UsageError(f"{path} is broken.")
        return FakeExport()

    model = model_of(version_folder(tmp_path, 1, 2, 3, 4), load)
    assert list(model.versions) == [2]
    look(model)
    assert list(model.versions) == [2]
    version_folder(tmp_path, 5)
    look(model)
    assert (list(model.versions), sorted(model.failures)) == ([2], [3, 4, 5])
    model.close(1)


def test_nothing_but_a_broken_version(tmp_path):
    def load(path):
        raise UsageError(f"{path} is broken.")

    with pytest.raises(UsageError, match="is broken"):
        model_of(version_folder(tmp_path, 1), load)


def test_a_version_is_loaded_when_its_files_stay_the_same(tmp_path):
    """It may be copied while the server looks, and may be whole enough to be loaded."""
    model = model_of(version_folder(tmp_path, 1))
    version_folder(tmp_path, 2)
    for part in range(3):
        model.refresh()
        assert list(model.versions) == [1]
        (tmp_path / "2" / f"part{part}").write_bytes(b"x")
    look(model)
    assert list(model.versions) == [2]
    model.close(1)


@pytest.mark.parametrize("is_broken_at_first", [True, False])
def test_a_version_that_is_written_again_is_loaded_again(tmp_path, is_broken_at_first):
    loaded = []

    def load(path):
        loaded.append(path.name)
        if is_broken_at_first and path.name == "2" and not (path / "variables").exists():
            raise UsageError(f"{path} is broken.")
        return FakeExport()

    model = model_of(version_folder(tmp_path, 1), load)
    version_folder(tmp_path, 2)
    look(model)
    assert list(model.versions) == [1 if is_broken_at_first else 2]
    look(model)
    assert loaded == ["1", "2"]
    (tmp_path / "2" / "variables").mkdir()
    (tmp_path / "2" / "variables" / "variables.index").write_bytes(b"x")
    with model.use() as before:
        look(model)
        assert loaded == ["1", "2", "2"]
        assert model.get() is not before
        assert (list(model.versions), model.failures) == ([2], {})
        assert before.batcher.submit({"images": _image()}).result(10)["class_id"] == [0]
    model.close(1)


@pytest.mark.parametrize("keep", [1, 2])
def test_the_newest_version_is_deleted(tmp_path, keep):
    """It is how a bad version is taken back."""
    loaded = []

    def load(path):
        loaded.append(int(path.name))
        return FakeExport()

    model = model_of(version_folder(tmp_path, 1, 2, 3), load, keep=keep)
    (tmp_path / "3" / "saved_model.pb").unlink()
    (tmp_path / "3").rmdir()
    for _ in range(3):
        look(model)
        assert sorted(model.versions) == [1, 2][-keep:]
    assert loaded == [3, 2] if keep == 1 else [2, 3, 1]
    # The only one that is left stays, as it needs no files any more.
    for number in (1, 2):
        (tmp_path / str(number) / "saved_model.pb").unlink()
    look(model)
    assert sorted(model.versions) == [1, 2][-keep:]
    model.close(1)


def test_a_labelled_version_stays_while_a_broken_one_is_newest(tmp_path):
    def load(path):
        if path.name == "3":
            raise UsageError(f"{path} is broken.")
        return FakeExport()

    model = model_of(version_folder(tmp_path, 1, 2), load, labels={"stable": 1})
    version_folder(tmp_path, 3)
    look(model)
    assert sorted(model.versions) == [1, 2]
    model.close(1)


def test_a_folder_that_cannot_be_read_is_reported_once(tmp_path, caplog):
    from kerascnn_apps.serve.models import Models

    file = tmp_path / "export" / "digits.onnx"
    file.parent.mkdir()
    file.touch()
    models = Models([model_of(file.parent)], poll_seconds=0.01)
    with caplog.at_level("ERROR", "kerascnn.serve"):
        (file.parent / "other.onnx").touch()  # which of them is meant?
        models.start(lambda *figures: None)
        until = time.monotonic() + 10
        while not caplog.records and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)
    models.close(1)
    (record,) = caplog.records
    assert record.getMessage() == "versions not read"
    assert not record.exc_info


def test_a_request_whose_body_arrives_slowly_keeps_its_version(tmp_path):
    from kerascnn_apps.serve.limits import Limits
    from kerascnn_apps.serve.models import Model

    limits = Limits(request_seconds=0.1, body_seconds=10)
    model = Model("gray", version_folder(tmp_path, 1), limits, lambda path: FakeExport())
    with model.use() as served:
        version_folder(tmp_path, 2)
        look(model)
        time.sleep(1.3)
        assert served.batcher.submit({"images": _image()}).result(10)["class_id"] == [0]
    model.close(1)


def test_several_versions_and_labels(tmp_path):
    from kerascnn_apps.serve.refusal import RefusedError

    model = model_of(version_folder(tmp_path, 1, 2, 3, 4), keep=2, labels={"stable": 1})
    assert sorted(model.versions) == [1, 3, 4]
    assert model.get().version == 4
    assert model.get(3).version == 3
    assert model.get(label="stable").version == 1
    with pytest.raises(RefusedError, match="versions served: 1, 3, 4"):
        model.get(2)
    with pytest.raises(RefusedError, match="its labels: stable"):
        model.get(label="canary")
    version_folder(tmp_path, 5)
    look(model)
    assert sorted(model.versions) == [1, 4, 5]
    model.close(1)


def test_no_request_is_lost_when_versions_roll_over(tmp_path):
    model = model_of(version_folder(tmp_path, 1))
    ended, failed, done = threading.Event(), [], [0]

    def client():
        while not ended.is_set():
            try:
                with model.use() as served:
                    served.batcher.submit({"images": _image()}).result(10)
                done[0] += 1
            except Exception as error:
                failed.append(error)

    threads = [threading.Thread(target=client) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(2, 12):
        version_folder(tmp_path, number)
        look(model)
        time.sleep(0.02)
    ended.set()
    for thread in threads:
        thread.join()
    assert not failed
    assert done[0] > 100
    model.close(1)


def test_names(tmp_path):
    a, b = version_folder(tmp_path / "a", 1), version_folder(tmp_path / "run b" / "export", 1)
    assert named_folders([a, b]) == {"a": a, "run-b": b}
    assert named_folders([a / "1"]) == {"a": a / "1"}
    assert named_folders([a, b], [f"x={b}"]) == {"a": a, "x": b}
    with pytest.raises(UsageError, match="Two models have the name 'a'"):
        named_folders([a, a / "1"])
    for word in ("a", "a/b=x", "=x"):
        with pytest.raises(UsageError, match="must be NAME=DIR"):
            named_folders([a], [word])
    with pytest.raises(UsageError, match="must name one of the folders"):
        named_folders([a], [f"x={b}"])


def test_labels():
    assert labels_of(["a:x=3", "a:y=4"], {"a": "."}) == {"a": {"x": 3, "y": 4}}
    for word in ("a", "b:x=3", "a:x=y", "a:=3", "a:x"):
        with pytest.raises(UsageError, match="NAME:LABEL=VERSION"):
            labels_of([word], {"a": "."})


def test_keys(tmp_path):
    file = tmp_path / "keys"
    file.write_text("one\n\n two \n")
    assert read_keys(file) == ["one", "two"]
    file.write_bytes(b"\xef\xbb\xbfone\r\n")  # as Windows writes it
    assert read_keys(file) == ["one"]
    file.write_text("\n")
    with pytest.raises(UsageError, match="a key in each line"):
        read_keys(file)


def test_wrong_use_of_the_command(tmp_path, capsys):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", str(tmp_path), "--port", port]) == 1
    assert "cannot be listened on" in capsys.readouterr().err
    assert run(["serve", str(tmp_path), "--max-batch", "0"]) == 2
