"""The state of PyTorch's global generators, which Keras's dropout uses on that backend."""

import keras
import numpy as np


def generator_states():
    """Returns the states of all devices as uint8 arrays; empty on other backends."""
    if keras.backend.backend() != "torch":
        return []
    import torch

    states = [torch.get_rng_state()]
    if torch.cuda.is_available():
        states += torch.cuda.get_rng_state_all()
    return [state.cpu().numpy().copy() for state in states]


def set_generator_states(states):
    """Restores the states from `generator_states` on the available devices."""
    if keras.backend.backend() != "torch" or not states:
        return
    import torch

    first, *others = (torch.from_numpy(np.array(state, np.uint8)) for state in states)
    torch.set_rng_state(first)
    if torch.cuda.is_available() and len(others) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(others)
