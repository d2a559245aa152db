"""Which cases of a test run on every change, and which only with `--nightly`."""

import pytest


def every_night(cases, daily):
    """Returns `cases` as parameters; those that are not in `daily` have the marker `nightly`.

    A case of several parameters is a tuple.
    """
    unknown = [case for case in daily if case not in cases]
    assert not unknown, unknown
    return [
        case
        if case in daily
        else pytest.param(*case, marks=pytest.mark.nightly)
        if isinstance(case, tuple)
        else pytest.param(case, marks=pytest.mark.nightly)
        for case in cases
    ]
