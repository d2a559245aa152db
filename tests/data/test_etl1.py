"""ETL-1 in files that are made here after the published format: the real ones cannot be had."""

import struct

import numpy as np
import pytest

from kerascnn.data import load_classification


def record(character, sheet, image):
    """A record of 2,052 bytes, byte by byte as the documentation of the database lists them."""
    levels = image.ravel() // 17
    pixels = bytes(int(a) << 4 | int(b) for a, b in zip(levels[::2], levels[1::2], strict=True))
    head = struct.pack(">H", 7) + character.ljust(2).encode() + struct.pack(">H", sheet)
    return (head + bytes(26)).ljust(32, b"\0") + pixels + bytes(4)


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    images = 17 * rng.integers(16, size=(60, 63, 64, 1), dtype=np.uint8)
    records = [
        record("0123456789A "[i % 12].strip(), 10 + i // 12 * 2 + (i // 48) * 1, images[i])
        for i in range(60)
    ]
    assert {len(one) for one in records} == {2052}
    (tmp_path / "ETL1C_01").write_bytes(b"".join(records[:30]))
    (tmp_path / "ETL1C_02").write_bytes(b"".join(records[30:]))
    return tmp_path, images


def test_digits_by_sheet(folder):
    path, images = folder
    data = load_classification(path)
    assert data.class_names == tuple("0123456789")
    assert data.stored_shape == (63, 64, 1)
    # Sheets 10, 12, 14, 16 and 19, ten digits each
    assert data.num_examples == {"train": 40, "validation": 0, "test": 10}
    found = list(data.examples("test"))
    assert [label for _, _, label in found] == list(range(10))
    np.testing.assert_array_equal(found[3][1], images[51])


def test_what_is_wrong_with_files(folder):
    path, _ = folder
    whole = (path / "ETL1C_02").read_bytes()
    (path / "ETL1C_02").write_bytes(whole[:-1])
    with pytest.raises(
        ValueError, match="records of 2052 bytes; got 61,559 bytes: unpack it again"
    ):
        load_classification(path)
    (path / "ETL1C_02").unlink()
    (path / "ETL1C_01").write_bytes(whole[: 2 * 2052])
    with pytest.raises(ValueError, match="'01234589' are in none of ETL1C_01"):
        load_classification(path)
