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
    """What one run took.

    Attributes:
        timing: seconds of the whole process, and of the processes that it started.
        peak_mib: resident memory at most, of it or of the largest that it started.
        load: of the machine before it began.
        output: what it printed.
    """

    timing: Timing
    peak_mib: float
    load: float
    output: str


def run_fresh(words: Sequence[str], variables: Mapping[str, str] | None = None) -> Ran:
    """Runs ``python`` with these words, from a cold start.

    Args:
        words: of the command; variables: in addition to this process's own.

    Raises:
        CommandError: it ended with an error; what it had to say is on stderr.
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
    with os.fdopen(reading) as told:
        code, wall, cpu, rss = json.load(told)
    if code:
        raise CommandError(f"{' '.join(words)} ended with {code}: {output.strip()[-300:]}")
    return Ran(Timing(wall, cpu), rss * _RSS_UNIT / 2**20, before, output)
