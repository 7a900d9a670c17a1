"""Internal files of a batch, in a hidden folder in its output folder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from gliomask.core.atomic import MARK, write_text
from gliomask.errors import InputError
from gliomask.jobs.dispatch import TaskState
from gliomask.jobs.journal import Journal
from gliomask.results.prediction.staging import remove

FOLDER = ".batch"
_OLD_S = 24 * 3600.0
"""Age of a temporary file that no running process can still be writing: another shard may take as
long as its time limit (an hour, unless it is changed) for a single file."""


@dataclass(frozen=True)
class Shard:
    """A shard of a batch: every n-th case from the k-th.

    Attributes:
        k: from 1 to ``n``.
        n: number of parts.
    """

    k: int = 1
    n: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """``3/8`` is the third of eight.

        Raises:
            InputError: it is none.
        """
        first, slash, last = text.partition("/")
        plain = all(part.isascii() and part.isdecimal() for part in (first, last))
        if not (slash and plain and 1 <= int(first) <= int(last) <= 100_000):
            allowed = "k/n with k from 1 to n, e.g. 3/8"
            raise InputError("not a shard", field="shard", found=text, allowed=allowed)
        return cls(int(first), int(last))

    def __str__(self) -> str:
        return f"{self.k}/{self.n}"

    @property
    def name(self) -> str:
        """Name of the shard in file names."""
        return f"{self.k}-of-{self.n}"


@dataclass(frozen=True)
class BatchFolder:
    """The paths of a batch.

    Attributes:
        out: the folder of its results.
    """

    out: Path

    @property
    def manifest(self) -> Path:
        """The cases with their content."""
        return self.out / FOLDER / "manifest.jsonl"

    @property
    def script(self) -> Path:
        """The job of SLURM."""
        return self.out / FOLDER / "job.sh"

    @property
    def logs(self) -> Path:
        """Output of the SLURM tasks."""
        return self.out / FOLDER / "logs"

    def journal(self, shard: Shard) -> Journal[TaskState]:
        """Journal of a shard, for writing."""
        return Journal(self._cases, TaskState, shard.name)

    def journals(self, but: Shard | None = None) -> list[Journal[TaskState]]:
        """Journals of all runs, also with other shards."""
        names = sorted(path.name for path in self._cases.parent.glob(".cases.*.journal"))
        shards = [name.removeprefix(".cases.").removesuffix(".journal") for name in names]
        own = but.name if but else None
        return [Journal(self._cases, TaskState, name).load() for name in shards if name != own]

    @property
    def _cases(self) -> Path:
        return self.out / FOLDER / "cases"

    def take_over(self, shard: Shard) -> Claim:
        """Take over a shard; an earlier run of it detects this and stops."""
        claim = Claim(self.out / FOLDER / f"run.{shard.name}", secrets.token_hex(16))
        write_text(claim.path, claim.token)
        return claim

    def clear_leftovers(self, claim: Claim) -> None:
        """Remove temporary files of killed processes.

        Whether it is old is determined by the clock of the file system alone.
        """
        now = claim.path.stat().st_mtime
        for path in self.out.glob(f"{MARK}*"):
            try:
                if now - path.stat().st_mtime > _OLD_S:
                    remove(path)
            except OSError:
                continue  # its writer was faster, or it belongs to another account


@dataclass(frozen=True)
class Claim:
    """A run's claim to a shard: a file that contains its token.

    Attributes:
        path: of the file.
        token: of the run.
    """

    path: Path
    token: str

    def stands(self) -> bool:
        """Return True if no later run has taken over the shard, or if that is unreadable now."""
        try:
            return self.path.read_text(encoding="ascii") == self.token
        except FileNotFoundError:
            return False
        except (OSError, ValueError):
            return True
