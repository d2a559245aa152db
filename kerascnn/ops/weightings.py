"""Weights of a window that fall with the distance from its center."""

import numpy as np

from kerascnn.arguments import pair


def gaussian(kernel_size, sigma):
    """A Gaussian over a window, with sum 1: `exp(-|nu|**2 / (2 * sigma**2))` at distance `|nu|`."""
    weights = np.exp(-(_distances(kernel_size) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def decaying(kernel_size, decay):
    """`decay**|nu|` at distance `|nu|` from the center, where the weight is 1."""
    return decay ** _distances(kernel_size)


def check_sigma(sigma, name="sigma"):
    """Returns a float above 0, the width of a Gaussian."""
    if not 0 < sigma < float("inf"):
        raise ValueError(f"`{name}` must be finite and above 0; got {name}={sigma}.")
    return float(sigma)


def check_decay(decay, name="decay"):
    """Returns a float in (0, 1], the weight at a distance of one pixel."""
    if not 0 < decay <= 1:
        raise ValueError(f"`{name}` must be in (0, 1]; got {name}={decay}.")
    return float(decay)


def _distances(kernel_size):
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in pair(kernel_size, "kernel_size"))
    return np.hypot(rows[:, np.newaxis], columns[np.newaxis])
