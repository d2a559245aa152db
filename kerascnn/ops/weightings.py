"""Weights of a window that decrease with the distance from its center."""

import numpy as np

from kerascnn.arguments import pair


def gaussian(kernel_size, sigma):
    """Returns a Gaussian with sum 1: `exp(-|nu|**2 / (2 * sigma**2))` at distance `|nu|`."""
    weights = np.exp(-(_distances(kernel_size) ** 2) / (2 * sigma**2))
    return weights / weights.sum()


def decaying(kernel_size, decay):
    """Returns `decay**|nu|` at distance `|nu|` from the center."""
    return decay ** _distances(kernel_size)


def check_sigma(sigma, name="sigma"):
    """Checks the width of a Gaussian, a float above 0."""
    if not 0 < sigma < float("inf"):
        raise ValueError(f"`{name}` must be finite and above 0; got {name}={sigma}.")
    return float(sigma)


def check_decay(decay, name="decay"):
    """Checks the weight at a distance of one pixel, a float in (0, 1]."""
    if not 0 < decay <= 1:
        raise ValueError(f"`{name}` must be in (0, 1]; got {name}={decay}.")
    return float(decay)


def _distances(kernel_size):
    rows, columns = (np.arange(size) - (size - 1) / 2 for size in pair(kernel_size, "kernel_size"))
    return np.hypot(rows[:, np.newaxis], columns[np.newaxis])
