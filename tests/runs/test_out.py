import shutil

import pytest

from kerascnn.runs.out import default_out
from kerascnn.training import RunFolder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def begin(folder, command):
    RunFolder(folder).begin({"training": {}}, command)


def test_a_folder_of_its_own_for_each_data_and_model(tmp_path):
    assert str(default_out("digits", "lenet5", "train")) == "runs/digits-lenet5"
    assert str(default_out(tmp_path / "flowers", "resnet18", "train")) == "runs/flowers-resnet18"


def test_the_same_command_gets_its_folder_again():
    first = "kerascnn classify train"
    begin(default_out("digits", "lenet5", first), first)
    assert default_out("digits", "lenet5", first).name == "digits-lenet5"
    assert default_out("digits", "lenet5", f"{first} --debug").name == "digits-lenet5"


def test_another_command_gets_a_number():
    begin("runs/digits-lenet5", "kerascnn classify train")
    second = "kerascnn classify train --epochs 5"
    assert default_out("digits", "lenet5", second).name == "digits-lenet5-2"
    begin("runs/digits-lenet5-2", second)
    assert default_out("digits", "lenet5", second).name == "digits-lenet5-2"
    assert default_out("digits", "lenet5", f"{second} --seed 1").name == "digits-lenet5-3"


def test_force_finds_the_run_of_the_same_command(tmp_path):
    begin("runs/digits-lenet5", "kerascnn classify train")
    second = "kerascnn classify train --epochs 5"
    begin("runs/digits-lenet5-2", second)
    assert default_out("digits", "lenet5", f"{second} --force").name == "digits-lenet5-2"
    assert default_out("digits", "lenet5", f"{second} --seed 1 --force").name == "digits-lenet5-3"
    shutil.rmtree("runs/digits-lenet5")
    (tmp_path / "runs" / "digits-lenet5").mkdir()
    assert default_out("digits", "lenet5", f"{second} --force").name == "digits-lenet5-2"
    assert default_out("digits", "lenet5", f"{second} --seed 1").name == "digits-lenet5"


@pytest.mark.parametrize(
    "recipe", ['{"flour": 1}', "not JSON", '{"kerascnn": "run", "format": 99}', "[]"]
)
def test_files_of_the_user_are_passed_over(recipe, tmp_path):
    (tmp_path / "runs" / "digits-lenet5").mkdir(parents=True)
    (tmp_path / "runs" / "digits-lenet5" / "recipe.json").write_text(recipe)
    assert default_out("digits", "lenet5", "train").name == "digits-lenet5-2"
