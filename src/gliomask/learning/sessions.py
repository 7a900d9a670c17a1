"""Provenance of a run: options, software, and sessions.

A training that was stopped and resumed has several sessions, possibly on several machines.
"""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

from gliomask.config import Options
from gliomask.core.atomic import write_text
from gliomask.errors import GliomaskError, unexpected
from gliomask.provenance.record import provenance
from gliomask.provenance.run_files import PROVENANCE
from gliomask.provenance.run_record import RunRecord


class TrainingSession:
    """A session of a run; it is recorded when it begins and when it ends.

    Args:
        run: the run folder.
        options: options of the command.
        facts: other values to record: seed, data, device.
    """

    def __init__(self, run: Path, options: Options, facts: dict[str, Any]) -> None:
        self._path = run / PROVENANCE
        self._keys = {**provenance("train", options), **facts}
        self._earlier = RunRecord(run).sessions
        self._now = {
            "command_line": shlex.join(sys.argv),
            "started": _time(),
            "ended": None,
            "outcome": "under way",
            "machine": _machine(),
        }
        self._write()

    def __enter__(self) -> None:
        """Nothing to do: it was recorded when it was made."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._now |= {"ended": _time(), "outcome": _outcome(error)}
        self._write()

    def _write(self) -> None:
        keys = {**self._keys, "sessions": [*self._earlier, self._now]}
        write_text(self._path, json.dumps(keys, indent=1) + "\n")


def _outcome(error: BaseException | None) -> str:
    if error is None:
        return "done"
    return str(error) if isinstance(error, GliomaskError) else unexpected(error)


def _machine() -> dict[str, Any]:
    available = torch.cuda.is_available()
    return {
        "host": platform.node(),
        "system": platform.platform(),
        "processors": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "gpu": torch.cuda.get_device_name() if available else None,
        "lightning_fabric": version("lightning-fabric"),
    }


def _time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
