"""The CPU instructions that oneDNN uses."""

import functools
import os
from pathlib import Path

# Values of ONEDNN_MAX_CPU_ISA that rule out AVX-512
_NARROWER = {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"}


@functools.cache
def has_avx512():
    """Returns whether oneDNN uses AVX-512; `False` if the system does not report it."""
    if os.environ.get("ONEDNN_MAX_CPU_ISA", "").upper() in _NARROWER:
        return False
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text().split()
    except OSError:
        return False
