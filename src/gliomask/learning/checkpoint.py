"""Checkpoints of a training, from which it resumes exactly.

    checkpoints/last.pt      the newest            + last.json      its SHA-256
    checkpoints/previous.pt  the one before        + previous.json
    checkpoints/best.pt      with the best Dice    + best.json

They contain no state of random generators, because there is none (see ``randomness``). The files
contain only tensors and plain values and are read with ``weights_only=True``; the checksum is
verified before they are parsed. At any time during writing, at least one checkpoint is complete and
has a valid checksum.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, Final

import torch

from gliomask.core.atomic import atomic_path, write_text, writing
from gliomask.errors import ConfigError, MachineError, option
from gliomask.provenance.run_files import CHECKPOINTS

LAST, PREVIOUS, BEST, DAMAGED = "last", "previous", "best", "damaged"
FORMAT: Final = 1
_MAX_BYTES: Final = 16 * 2**30

State = dict[str, Any]
"""State: tensors and plain values by name."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        run: the run folder.
    """

    def __init__(self, run: Path) -> None:
        self.folder = run / CHECKPOINTS

    def save(self, state: State, *, best: bool) -> None:
        """Write the newest checkpoint, and keep the one before as the previous one.

        Args:
            state: state of the training.
            best: whether it is also the best.

        Raises:
            MachineError: it does not fit on the disk; existing checkpoints stay.
        """
        buffer = io.BytesIO()
        torch.save({"format": FORMAT, **state}, buffer)
        data = buffer.getvalue()
        with writing(self.folder):
            self._check_space(len(data) * (1 + best))
            if best:
                self._write(BEST, data)
            self._push(data)

    def load(self) -> tuple[State, tuple[str, ...]]:
        """Load the newest valid checkpoint, and return notes.

        If the newest one is damaged, it is renamed to ``damaged.pt`` and the previous one is used.

        Raises:
            ConfigError: there is no checkpoint, or no valid one.
        """
        names = [name for name in (LAST, PREVIOUS) if self._path(name).is_file()]
        if not names:
            raise ConfigError(
                "there is no checkpoint to resume from",
                path=self.folder,
                hint=f"leave out {option('resume')}",
            )
        for name in names:
            state = self._read(name)
            if state is not None:
                return state, () if name == LAST else (self._fallen_back(),)
        raise ConfigError(
            "no checkpoint is valid",
            path=self.folder,
            hint=f"start the training again in another folder: {option('out')}",
        )

    def _fallen_back(self) -> str:
        if self._path(LAST).is_file():
            self._path(LAST).replace(self._path(DAMAGED))
        return "the newest checkpoint is missing or damaged; the previous one is used"

    def _read(self, name: str) -> State | None:
        """The state, or None if the file is damaged."""
        path = self._path(name)
        if path.stat().st_size > _MAX_BYTES:
            return None
        data = path.read_bytes()
        if hashlib.sha256(data).hexdigest() != self._recorded(name):
            return None
        try:
            state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        except (RuntimeError, UnpicklingError):
            return None
        if state["format"] != FORMAT:
            raise ConfigError(
                "a checkpoint of another version",
                path=path,
                field="format",
                found=state["format"],
                allowed=str(FORMAT),
            )
        return dict(state)

    def _recorded(self, name: str) -> str | None:
        path = self._path(name).with_suffix(".json")
        try:
            keys = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return keys.get("sha256") if isinstance(keys, dict) else None

    def _push(self, data: bytes) -> None:
        """Rename in an order in which a file with a valid checksum always exists."""
        last, previous = self._path(LAST), self._path(PREVIOUS)
        with atomic_path(last) as temporary:
            temporary.write_bytes(data)
            if self._recorded(LAST) is not None and last.is_file():
                text = last.with_suffix(".json").read_text(encoding="utf-8")
                write_text(previous.with_suffix(".json"), text)
                last.replace(previous)
            self._record(LAST, data)

    def _write(self, name: str, data: bytes) -> None:
        with atomic_path(self._path(name)) as temporary:
            temporary.write_bytes(data)
            self._record(name, data)

    def _record(self, name: str, data: bytes) -> None:
        keys = {"sha256": hashlib.sha256(data).hexdigest(), "bytes": len(data)}
        write_text(self._path(name).with_suffix(".json"), json.dumps(keys) + "\n")

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.pt"

    def _check_space(self, needed: int) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise MachineError(
                "the disk is too full for a checkpoint",
                path=self.folder,
                field="free megabytes",
                found=free // 10**6,
                allowed=f"{-(-needed // 10**6)} or more",
            )
