import pytest

from tests.data.mask_files import make_folder


@pytest.fixture
def folder(tmp_path):
    return make_folder(tmp_path)
