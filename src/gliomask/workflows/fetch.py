"""``fetch``: download of patients of an open collection, with licence and citation."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from gliomask.config.fetch import FetchOptions as FetchOptions
from gliomask.core.atomic import write_text
from gliomask.core.output_folder import check_folder
from gliomask.errors import ConfigError, Failure, MachineError
from gliomask.jobs.control import SILENT, Control
from gliomask.jobs.failures import raise_failures
from gliomask.studies.idc import IdcSeries, find_series, index_version
from gliomask.studies.s5cmd import find_s5cmd, sync

SOURCES_FILE: Final = "sources.json"
_ARCHIVE: Final = "idc"
_SPARE: Final = 1.05
"""Required free disk space, relative to the download."""


@dataclass(frozen=True)
class FetchResult:
    """Result of ``fetch``, or of its dry run.

    Attributes:
        out: the folder.
        collection, version: of IDC.
        patients, series, files, size: totals of the request; size in bytes.
        there: number of series that existed already.
        licences: short name -> number of series.
        cite: addresses of citations.
        fetched: number of series downloaded now; 0 in a dry run.
    """

    out: Path
    collection: str
    version: str
    patients: int
    series: int
    files: int
    size: int
    there: int
    licences: dict[str, int]
    cite: tuple[str, ...]
    fetched: int


def fetch(options: FetchOptions, control: Control = SILENT) -> FetchResult:
    """Download patients of a collection as DICOM: ``OUT/PATIENT/STUDY/SERIES/``.

    Raises:
        ConfigError: unknown archive, collection or modality. MachineError: the index or s5cmd is
            not installed, the disk is too small, or nothing could be downloaded. BatchError: some
            series could not be downloaded; the others exist.
    """
    archive, _, collection = options.source.partition(":")
    if archive != _ARCHIVE or not collection:
        raise ConfigError(
            "unknown archive", option="source", found=options.source, allowed="idc:NAME"
        )
    series = find_series(collection, options.modalities, options.patients)
    due = [entry for entry in series if not _is_whole(options.out, entry)]
    if options.dry_run:
        return _result(options, collection, series, due, fetched=0)
    check_folder(options.out)
    _check_room(options.out, due)
    if due:
        find_s5cmd()
    _write_sources(options, collection, series)
    failures = _fetch(options.out, due, control)
    result = _result(options, collection, series, due, fetched=len(due) - len(failures))
    if due and len(failures) == len(due):
        raise MachineError(f"nothing was downloaded: {failures[0][1]}")
    raise_failures(failures, len(series) - len(failures), options.out, result)
    return result


def _fetch(out: Path, due: Sequence[IdcSeries], control: Control) -> list[Failure]:
    """Download patient by patient, so that incomplete patients are known."""
    failures: list[Failure] = []
    control.start(len(due), "fetching")
    for patient, group in groupby(due, key=lambda entry: entry.patient):
        some = list(group)
        with control.part(patient, len(some)) as part:
            for entry in some:
                (out / entry.place).mkdir(parents=True, exist_ok=True)
            reason = sync([(entry.url, out / entry.place) for entry in some], part)
        for entry in some:
            if not _is_whole(out, entry):
                count = sum(1 for _ in (out / entry.place).iterdir())
                what = f"{count} of {entry.files} files" + (f"; {reason}" if reason else "")
                failures.append((f"{entry.patient} {entry.uid}", what))
    return failures


def _is_whole(out: Path, series: IdcSeries) -> bool:
    """Return True if all files exist, by their number and total size."""
    folder = out / series.place
    if not folder.is_dir():
        return False
    sizes = [path.stat().st_size for path in folder.iterdir() if path.is_file()]
    return len(sizes) == series.files and abs(sum(sizes) - series.size) <= 1


def _check_room(out: Path, due: Sequence[IdcSeries]) -> None:
    needed = int(sum(entry.size for entry in due) * _SPARE)
    place = next(folder for folder in (out, *out.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise MachineError(
            "not enough free disk space",
            path=out,
            field="free",
            found=f"{free / 1e9:.1f} GB",
            allowed=f"{needed / 1e9:.1f} GB or more",
            hint="request fewer patients",
        )


def _write_sources(options: FetchOptions, collection: str, series: Sequence[IdcSeries]) -> None:
    content: dict[str, Any] = {
        "archive": "NCI Imaging Data Commons",
        "collection": collection,
        "index": index_version(),
        "licences": _licences(series),
        "cite": _citations(series),
        "series": [asdict(entry) for entry in series],
    }
    text = json.dumps(content, indent=1, ensure_ascii=False)
    write_text(options.out / SOURCES_FILE, f"{text}\n")


def _licences(series: Sequence[IdcSeries]) -> dict[str, int]:
    return dict(sorted(Counter(entry.licence for entry in series).items()))


def _citations(series: Sequence[IdcSeries]) -> tuple[str, ...]:
    return tuple(sorted({f"https://doi.org/{entry.doi}" for entry in series if entry.doi}))


def _result(
    options: FetchOptions,
    collection: str,
    series: Sequence[IdcSeries],
    due: Sequence[IdcSeries],
    *,
    fetched: int,
) -> FetchResult:
    return FetchResult(
        out=options.out,
        collection=collection,
        version=index_version(),
        patients=len({entry.patient for entry in series}),
        series=len(series),
        files=sum(entry.files for entry in series),
        size=sum(entry.size for entry in series),
        there=len(series) - len(due),
        licences=_licences(series),
        cite=_citations(series),
        fetched=fetched,
    )
