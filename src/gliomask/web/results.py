"""Files of a result by kind."""

from __future__ import annotations

import re
import secrets
import zipfile
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gliomask.config.output_kinds import KINDS

_KINDS: Final = (
    *((re.compile(kind.ending), kind.served) for kind in KINDS.values()),
    (re.compile(r"\.json"), "record"),
    (re.compile(r"_(probability|disagreement)_([a-z]+)\.nii\.gz"), ""),
)
"""Suffix of a file name after the case -> kind of the file."""
_OF_ALL: Final = {"cases.csv": "table", "audit.json": "audit"}
_TYPES: Final = {
    ".gz": "application/gzip",
    ".dcm": "application/dicom",
    ".html": "text/html; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".csv": "text/csv; charset=utf-8",
}


@dataclass(frozen=True)
class Entry:
    """A file or folder of a result.

    Attributes:
        kind: kind of file.
        case: of which examination, empty for one of all.
        path: its path.
    """

    kind: str
    case: str
    path: Path

    @property
    def size(self) -> int:
        """Size in bytes; for a folder, the total size of its files."""
        paths = self.path.iterdir() if self.path.is_dir() else (self.path,)
        return sum(path.stat().st_size for path in paths)

    @property
    def media_type(self) -> str:
        """Media type for HTTP."""
        return _TYPES.get(self.path.suffix, "application/octet-stream")


def entries(folder: Path, cases: tuple[str, ...]) -> tuple[Entry, ...]:
    """Files in the folder of a result.

    Args:
        folder: the result; empty if it is not there.
        cases: the examinations in it.
    """
    if not folder.is_dir():
        return ()
    results = (_entry(path, cases) for path in sorted(folder.iterdir()))
    return _with_distinct_kinds([entry for entry in results if entry is not None])


def _with_distinct_kinds(several: list[Entry]) -> tuple[Entry, ...]:
    """NRRD next to the mask in another format is a separate kind."""
    masks = Counter(entry.case for entry in several if entry.kind == "mask")
    second = {case for case, count in masks.items() if count > 1}
    return tuple(
        replace(entry, kind="mask-nrrd")
        if entry.kind == "mask" and entry.case in second and entry.path.suffix == ".nrrd"
        else entry
        for entry in several
    )


def _entry(path: Path, cases: tuple[str, ...]) -> Entry | None:
    if path.name in _OF_ALL:
        return Entry(_OF_ALL[path.name], "", path)
    for case in sorted(cases, key=len, reverse=True):
        if not path.name.startswith(case):
            continue
        for pattern, kind in _KINDS:
            if match := pattern.fullmatch(path.name[len(case) :]):
                return Entry(kind or "-".join(match.groups()), case, path)
    return None


def corrected_entries(files: Iterable[tuple[str, int, Path]]) -> tuple[Entry, ...]:
    """Files of corrections; the kind of each ends with the number of its correction.

    Args:
        files: case, number of the correction, file.
    """
    corrected = []
    for case, number, path in files:
        ending = path.name.removeprefix(f"{case}_correction-{number}")
        for pattern, kind in _KINDS:
            if pattern.fullmatch(ending):
                what = "correction" if kind == "record" else kind
                corrected.append(Entry(f"{what}-{number}", case, path))
    return tuple(corrected)


def zipped(entries: tuple[Entry, ...], temporary: Path) -> Path:
    """All files of a result in one archive, which the caller removes.

    Args:
        entries: files to include.
        temporary: a folder to write to.
    """
    archive = temporary / f"{secrets.token_hex(8)}.zip"
    try:
        with zipfile.ZipFile(archive, "x", zipfile.ZIP_STORED) as members:
            for entry in entries:
                if not entry.path.is_dir():
                    members.write(entry.path, entry.path.name)
                    continue
                for path in sorted(entry.path.iterdir()):
                    members.write(path, f"{entry.path.name}/{path.name}")
    except BaseException:  # mostly a full disk
        archive.unlink(missing_ok=True)
        raise
    return archive
