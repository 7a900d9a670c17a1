"""Memory that was freed goes back to the system."""

from __future__ import annotations

import subprocess
import sys

import pytest

_PROGRAM = """
import os
import numpy as np
from gliomask.machine.heap import return_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

return_freed_memory()
before = resident()
for _ in range(2):
    arrays = [np.ones(2**17) for _ in range(200)]
    full = resident()
    kept = arrays[::20]
    del arrays
print(full - before, resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_gaps_between_arrays_of_a_megabyte_are_returned() -> None:
    """Of 200 MB, every twentieth array is kept."""
    words = [sys.executable, "-c", _PROGRAM]
    answer = subprocess.run(words, capture_output=True, text=True, check=True)
    full, left = map(int, answer.stdout.split())
    assert full > 190 * 2**20
    assert left < 40 * 2**20
