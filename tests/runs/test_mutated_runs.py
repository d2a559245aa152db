"""Run folders that were damaged, or made up by somebody: a sentence each, and nothing is harmed."""

import copy
import json
import random
import shutil
import zipfile
from pathlib import Path

import pytest

from kerascnn_apps.cli import run as command
from tests.nightly import every_night
from tests.runs.commands import commands, digests

LIMIT = 2 * 2**30
BEFORE = Path(__file__).parent / "before" / "classification"
VALUES = (
    [],
    {},
    None,
    True,
    -1,
    0.5,
    10**40,
    1e400,
    "",
    "../../../../etc",
    "/etc",
    "huggingface:mnist",
    "gs://bucket/mnist",
    "x" * 100_000,
    ["a"] * 3,
    [[[]]],
    {"a": {"b": []}},
    [60_000, 60_000, 3],
)


def places(content, path=()):
    """Yields the path of each value in JSON."""
    yield path
    if isinstance(content, dict):
        for key, value in content.items():
            yield from places(value, (*path, key))


def changed(content, path, value):
    if not path:
        return value
    content = copy.deepcopy(content)
    part = content
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return content


def mutated_recipe(folder, draw):
    path = folder / "recipe.json"
    content = json.loads(path.read_text())
    for _ in range(draw.choice((1, 1, 2))):
        place = draw.choice(list(places(content)))
        way = draw.choice(("value", "value", "value", "delete", "extra"))
        if way == "value" or not place:
            content = changed(content, place, draw.choice(VALUES))
        elif way == "extra":
            content = changed(content, (*place[:-1], "extra"), draw.choice(VALUES))
        else:
            part = content
            for key in place[:-1]:
                part = part[key]
            del part[place[-1]]
        if not isinstance(content, dict):
            break
    path.write_text(json.dumps(content))


def mutated_file(folder, draw):
    path = folder / draw.choice(
        ("recipe.json", "model.keras", "model.keras", "metrics.json", "history.csv")
    )
    content = path.read_bytes()
    way = draw.choice(("cut", "empty", "zeros", "flip", "folder", "link", "gone"))
    path.unlink()
    if way == "cut":
        path.write_bytes(content[: draw.randrange(len(content))])
    elif way == "empty":
        path.touch()
    elif way == "zeros":
        path.write_bytes(bytes(len(content)))
    elif way == "flip":
        at = draw.randrange(len(content))
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
    elif way == "folder":
        path.mkdir()
    elif way == "link":
        path.symlink_to("/nowhere/at/all")


def mutated_model(folder, draw):
    """Changes the description of the model inside of its file."""
    path = folder / "model.keras"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(parts["config.json"])
    place = draw.choice(list(places(config)))
    config = changed(config, place, draw.choice(VALUES))
    parts["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


WAYS = (mutated_recipe, mutated_recipe, mutated_file, mutated_model)


@pytest.fixture(scope="module")
def run_command():
    with commands() as run:
        yield run


@pytest.mark.parametrize("seed", every_night(range(100), daily=range(12)))
def test_a_mutated_run_gets_a_sentence_and_harms_nothing(seed, tmp_path, run_command):
    draw = random.Random(seed)
    run = tmp_path / "run"
    shutil.copytree(BEFORE, run)
    (tmp_path / "mine").mkdir()
    image = next((BEFORE / "examples").iterdir())
    shutil.copy(image, tmp_path / "mine" / "image.png")
    draw.choice(WAYS)(run, draw)
    before = digests(tmp_path)
    arguments = draw.choice(
        (
            ["predict", "run", "mine"],
            ["predict", "run", "mine", "--json"],
            ["evaluate", "run", "--split", "validation"],
        )
    )
    ended = run_command(["classify", *arguments], tmp_path)
    assert ended.status in (0, 1, 2), ended  # None: it was stopped after its time
    assert "unexpected" not in ended.err, ended.err
    assert "Traceback" not in ended.err
    assert (ended.status == 0) == (not ended.err), ended.err
    assert ended.peak < LIMIT
    assert digests(tmp_path) == before


@pytest.mark.parametrize("name", ["huggingface:mnist", "../../../../etc", "gs://bucket/mnist"])
def test_a_name_in_a_record_is_not_looked_for(name, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *address: pytest.fail("went to a network"))
    run = tmp_path / "run"
    shutil.copytree(BEFORE, run)
    content = json.loads((run / "recipe.json").read_text())
    content["data"]["name"] = name
    (run / "recipe.json").write_text(json.dumps(content))
    assert command(["classify", "evaluate", str(run)]) == 2
    assert "use --data" in capsys.readouterr().err


def test_a_dataset_in_a_record_is_not_downloaded(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("TFDS_DATA_DIR", str(tmp_path / "tfds"))
    monkeypatch.setattr("socket.socket.connect", lambda *address: pytest.fail("went to a network"))
    run = tmp_path / "run"
    shutil.copytree(BEFORE, run)
    content = json.loads((run / "recipe.json").read_text())
    content["data"].update(name="mnist", data_dir=None)
    (run / "recipe.json").write_text(json.dumps(content))
    assert command(["classify", "evaluate", str(run)]) == 2
    assert "use `--data mnist` to download them" in capsys.readouterr().err
