"""Run time and memory of a command in a separate process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harness import Timing, load

_MEASURED = Path(__file__).with_name("measured.py")
_RSS_UNIT = 1024 if sys.platform != "darwin" else 1
"""Bytes that ``ru_maxrss`` counts in."""


class CommandError(Exception):
    """The command ended with an error."""


@dataclass(frozen=True)
class Ran:
    """Measurements of a process.

    Attributes:
        timing: seconds of the process and of the processes that it started.
        peak_mib: peak resident memory of the largest of these.
        load: load of the machine before the start.
        output: its standard output.
    """

    timing: Timing
    peak_mib: float
    load: float
    output: str


def run_fresh(words: Sequence[str], variables: Mapping[str, str] | None = None) -> Ran:
    """Runs ``python`` with these arguments in a new process.

    Args:
        words: arguments; variables: environment variables in addition to this process's own.

    Raises:
        CommandError: the command failed; its message is on stderr.
    """
    before = load()
    reading, writing = os.pipe()
    command = [sys.executable, "-S", str(_MEASURED), str(writing), *words]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        pass_fds=[writing],
        env={**os.environ, **(variables or {})},
    ) as process:
        os.close(writing)
        output = process.communicate()[0]
    with os.fdopen(reading) as pipe:
        code, wall, cpu, rss = json.load(pipe)
    if code:
        raise CommandError(f"{' '.join(words)} ended with {code}: {output.strip()[-300:]}")
    return Ran(Timing(wall, cpu), rss * _RSS_UNIT / 2**20, before, output)
