"""Which cases of a test run on every change, and which only with `--nightly`."""

import pytest


def every_night(names, daily):
    """Returns `names` as parameters; those that are not in `daily` have the marker `nightly`."""
    return [
        name if name in daily else pytest.param(name, marks=pytest.mark.nightly) for name in names
    ]
