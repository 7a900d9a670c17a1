"""The system holds a process to its bound. Each test has a process of its own, to be held."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from gliomask.errors import MachineError
from gliomask.machine.memory_limit import memory_limit

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits memory")

START = """
from gliomask.machine.memory_limit import memory_limit, resident_bytes
MIB = 2**20
try:
    with memory_limit(resident_bytes() + 300 * MIB):
        first = bytearray(150 * MIB)
        print("first")
        second = bytearray(200 * MIB)
        print("second")
except MemoryError:
    print("no more")
third = bytearray(400 * MIB)
print("free again")
"""


def test_more_is_refused_and_only_within_the_block() -> None:
    done = subprocess.run([sys.executable, "-c", START], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n")[:-1] == ["first", "no more", "free again"]


def test_less_than_the_program_itself() -> None:
    told = r"`limit_memory`=1 MiB, allowed more than \d+ MiB"
    with pytest.raises(MachineError, match=told), memory_limit(2**20):
        pass


def test_a_lower_limit_of_the_system_stays() -> None:
    code = (
        "import resource; from gliomask.machine.memory_limit import memory_limit\n"
        "resource.setrlimit(resource.RLIMIT_DATA, (3 * 2**30, 4 * 2**30))\n"
        "with memory_limit(8 * 2**30): print(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 30)\n"
        "print(resource.getrlimit(resource.RLIMIT_DATA)[0] >> 30)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["3", "3"]


def test_no_limit(tmp_path: Path) -> None:
    with memory_limit(None):
        assert bytearray(2**20)
