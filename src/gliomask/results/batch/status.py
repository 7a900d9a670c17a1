"""Status of the cases of a batch, from its manifest, its journals and the existing records."""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from gliomask.errors import Failure
from gliomask.jobs.dispatch import latest
from gliomask.results.batch.manifest import Manifest, read_manifest
from gliomask.results.batch.places import BatchFolder, Shard


@dataclass(frozen=True)
class BatchStatus:
    """Status of the cases of a batch or of a shard; each case is in one list.

    Attributes:
        out: the folder of the batch.
        done: completed cases.
        missing: cases without a result.
        failed: (case, reason) of failed and excluded cases.
    """

    out: Path
    done: tuple[str, ...]
    missing: tuple[str, ...]
    failed: tuple[Failure, ...]


def read_status(folder: BatchFolder, shard: Shard | None = None) -> BatchStatus:
    """Read the status of a batch; also possible while it runs.

    Args:
        folder: of the batch.
        shard: whose cases are meant; those of all if it is not given. Inputs that are not cases
            count for the first shard.

    Raises:
        InputError: there is no manifest.
    """
    return status_of(folder, read_manifest(folder.manifest), shard)


def status_of(folder: BatchFolder, manifest: Manifest, shard: Shard | None = None) -> BatchStatus:
    """Status of a batch from its manifest."""
    shard = shard or Shard()
    journals, existing = folder.journals(), present(folder.out)
    done: list[str] = []
    missing: list[str] = []
    failed = list(manifest.problems if shard.k == 1 else ())
    for case in manifest.cases[shard.k - 1 :: shard.n]:
        now = latest(journals, case.id)
        if now.of != case.of or now.state in ("waiting", "working"):
            missing.append(case.id)
        elif now.state == "failed":
            failed.append((case.id, now.text))
        else:
            (done if is_there(case.id, existing) else missing).append(case.id)
    return BatchStatus(folder.out, tuple(done), tuple(missing), tuple(failed))


def present(out: Path) -> frozenset[str]:
    """The names in a folder."""
    with os.scandir(out) as listing:
        return frozenset(entry.name for entry in listing)


def is_there(case: str, names: Collection[str]) -> bool:
    """Return True if the record of a case is among the names; it is written last."""
    return f"{case}.json" in names
