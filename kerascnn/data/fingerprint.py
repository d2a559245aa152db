"""A fingerprint of a folder, by which a resumed run knows whether its data are still the same."""

import hashlib


def fingerprint(examples):
    """Returns a short hash of the examples of a folder, in their order.

    It does not depend on where the folder is. The pixels of files that must be decoded to compare
    them may differ between versions of the libraries that decode them.

    Args:
        examples: iterable of tuples of values with different `repr`: all that decides what a model
            learns from an example, such as its split, its name, the digest of its pixels, and its
            label.

    Returns:
        str of 16 hexadecimal digits.

    Example:
        >>> from kerascnn.data.fingerprint import fingerprint
        >>> one, other = ("train", "cat/1.png", 7, 0), ("train", "cat/2.png", 8, 0)
        >>> fingerprint([one, other]) == fingerprint([one, other])
        True
        >>> fingerprint([one, other]) == fingerprint([other, one])
        False
    """
    found = hashlib.sha256()
    for example in examples:
        found.update(repr(example).encode())
    return found.hexdigest()[:16]
