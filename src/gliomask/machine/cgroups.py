"""Resource limits of a container or a job scheduler: Linux control groups.

Both versions are read, since clusters still run the first. A limit of any group above counts as
well as the process's own, so each of them is read and the smallest limit applies
(https://docs.kernel.org/admin-guide/cgroup-v2.html and cgroup-v1/memory.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Final

ROOT: Final = Path("/")
"""Root of ``proc`` and ``sys``; tests use another one."""
_MOUNT: Final = "sys/fs/cgroup"
_FIRST: Final = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")
_SECOND: Final = ("memory.max", "memory.current", "inactive_file")
"""Limit, what is used, and the key in ``memory.stat`` of memory that the kernel can reclaim."""
_UNLIMITED: Final = 2**60
"""The first version writes a number near 2**63 where there is no limit."""


def cpu_quota(root: Path = ROOT) -> float | None:
    """Processors' worth of time that this process may use, e.g. 1.5; None without a limit."""
    quotas = [_quota_v2(folder) for folder in _groups(root, "")]
    quotas += [_quota_v1(folder) for folder in _groups(root, "cpu")]
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_room(root: Path = ROOT) -> tuple[int, int] | None:
    """(limit, bytes left of it) of the group that leaves least; None without a limit."""
    rooms = [_room(folder, *_SECOND) for folder in _groups(root, "")]
    rooms += [_room(folder, *_FIRST) for folder in _groups(root, "memory")]
    return min((room for room in rooms if room is not None), key=lambda r: r[1], default=None)


def _groups(root: Path, controller: str) -> Iterator[Path]:
    """This process's group and all above it; ``""`` is the second version's only tree."""
    mount = root / _MOUNT / controller
    path = PurePosixPath(_own_path(root, controller).lstrip("/"))
    for part in (path, *path.parents):
        if ".." not in part.parts and (mount / part).is_dir():
            yield mount / part


def _own_path(root: Path, controller: str) -> str:
    """Path in ``/proc/self/cgroup``, which has lines ``number:controllers:path``."""
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controller in controllers.split(","):
            return path
    return ""


def _quota_v2(folder: Path) -> float | None:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return int(quota) / int(period) if quota.isdigit() and int(period) else None


def _quota_v1(folder: Path) -> float | None:
    quota, period = _number(folder / "cpu.cfs_quota_us"), _number(folder / "cpu.cfs_period_us")
    return quota / period if quota is not None and period else None


def _room(folder: Path, limit_file: str, used_file: str, cache_key: str) -> tuple[int, int] | None:
    limit, used = _number(folder / limit_file), _number(folder / used_file)
    if limit is None or used is None or limit >= _UNLIMITED:
        return None
    pairs = (line.split() for line in _text(folder / "memory.stat").splitlines())
    cache = {words[0]: int(words[1]) for words in pairs if len(words) == 2}.get(cache_key, 0)
    return limit, min(limit, max(0, limit - used + cache))


def _number(file: Path) -> int | None:
    """Number in a file; None if there is no such file, or it contains ``max`` or -1."""
    text = _text(file)
    return int(text) if text.isdigit() else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
