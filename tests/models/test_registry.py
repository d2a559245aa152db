import pytest

from kerascnn.models import create_model, list_models
from kerascnn.models.family import joined
from kerascnn.models.lenet import FAMILY


def test_list_models():
    assert "lenet5" in list_models()
    assert "lenet5" in list_models("lenet*")
    assert list_models("no such model") == []


def test_unknown_name_lists_the_known():
    with pytest.raises(ValueError, match=r"one of .*'lenet5'.*got name='lenet_5'.*Did you mean"):
        create_model("lenet_5")


def test_num_classes():
    with pytest.raises(ValueError, match="got num_classes=0"):
        create_model("lenet5", num_classes=0)


def test_a_name_stands_in_one_table_only():
    with pytest.raises(ValueError, match="Two models are named 'lenet5'"):
        joined(FAMILY, FAMILY)
