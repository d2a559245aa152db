import ml_dtypes
import numpy as np
import pytest

from kerascnn.storage.state_file import _MAGIC, BrokenStateError, decode, encode

ARRAYS = {
    "weights": np.arange(6, dtype="float32").reshape(2, 3),
    "half": np.array([1.5, -2], ml_dtypes.bfloat16),
    "count": np.array(7),
    "none": np.zeros((0, 4), "uint8"),
    "yes": np.array([True]),
}


def test_what_is_written_is_read():
    arrays, facts = decode(encode(ARRAYS, {"epoch": 3, "loss": float("inf")}))
    assert facts == {"epoch": 3, "loss": float("inf")}
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert arrays[name].dtype == array.dtype
        np.testing.assert_array_equal(arrays[name], array)


def test_every_cut_and_every_changed_byte_is_found():
    content = encode({"a": np.arange(3.0)}, {"epoch": 1})
    for place in range(len(content)):
        with pytest.raises(BrokenStateError):
            decode(content[:place])
        with pytest.raises(BrokenStateError):
            decode(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    with pytest.raises(BrokenStateError, match="checksum is wrong"):
        decode(content + b"more")


@pytest.mark.parametrize(
    "header",
    [
        b"[]",
        b'{"facts": 1}',
        b'{"facts": 1, "arrays": [["a", "float32", [100000000000]]]}',
        b'{"facts": 1, "arrays": [["a", "float32", [-1]]]}',
        b'{"facts": 1, "arrays": [["a", "object", [1]]]}',
        b'{"facts": 1, "arrays": 3}',
        b"not JSON",
    ],
)
def test_a_made_up_content_is_refused(header):
    import hashlib

    body = b"%d\n" % len(header) + header + bytes(8)
    content = _MAGIC + hashlib.sha256(body).hexdigest().encode() + b"\n" + body
    with pytest.raises(BrokenStateError):
        decode(content)


def test_only_numbers_are_written():
    with pytest.raises(TypeError, match="text must be an array of numbers"):
        encode({"text": np.array(["a"])}, {})
