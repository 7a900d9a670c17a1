"""Commands in fresh processes: seconds and memory."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from benchmarks.processes import CommandError, run_fresh

_HOLD = "b = bytearray(50 * 2**20); print('held', len(b) >> 20)"
_CHILD = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {_HOLD!r}], check=True)"


@pytest.mark.parametrize("code", [_HOLD, _CHILD])
def test_memory_is_that_of_the_command(code: str) -> None:
    own = np.ones(2**24)  # 128 MiB here, which are not the command's
    ran = run_fresh(["-S", "-c", code])
    assert own.nbytes == 2**27
    assert ran.output == "held 50\n"
    assert 50 < ran.peak_mib < 80


def test_processor_time_counts_processes_that_it_started() -> None:
    spin = "import time\nwhile time.process_time() < 0.1: pass"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-S', '-c', {spin!r}])"
    ran = run_fresh(["-S", "-c", code])
    assert ran.timing.cpu_s >= 0.1
    assert ran.timing.wall_s >= 0.1


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are counted on Linux only")
def test_processor_time_counts_processes_that_it_left_behind() -> None:
    """The server of forks, whose children are the workers of ``batch``, is such a process."""
    spin = "import time\nwhile time.process_time() < 0.1: pass"
    code = f"import subprocess, sys; subprocess.Popen([sys.executable, '-S', '-c', {spin!r}])"
    assert run_fresh(["-S", "-c", code]).timing.cpu_s >= 0.1


def test_variables_are_added() -> None:
    code = "import os; print(os.environ['GLIOMASK_TEST'], 'PATH' in os.environ)"
    assert run_fresh(["-S", "-c", code], {"GLIOMASK_TEST": "there"}).output == "there True\n"


def test_an_error_of_the_command_is_told() -> None:
    with pytest.raises(CommandError, match="ended with 3: last words"):
        run_fresh(["-S", "-c", "print('last words'); raise SystemExit(3)"])
