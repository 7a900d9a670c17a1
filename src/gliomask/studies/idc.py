"""NCI's Imaging Data Commons (IDC): series of a collection, from the local index.

The index is a separate package (``idc-index-data``) and needs no network. Files lie in public
buckets: https://learn.canceridc.dev/data/downloading-data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gliomask.core.identity import safe_name
from gliomask.errors import ConfigError, FormatError, MachineError, nearest

INSTALL: Final = 'pip install "gliomask[idc]"'
_UID: Final = re.compile(r"[0-9]+(\.[0-9]+)*")
_URL: Final = re.compile(r"s3://idc-open-data[a-z0-9-]*/[0-9a-f-]{36}/\*")
_LONGEST_UID: Final = 64
_COLUMNS: Final = (
    "PatientID",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "Modality",
    "SeriesDescription",
    "instanceCount",
    "series_size_MB",
    "license_short_name",
    "source_DOI",
    "series_aws_url",
)


@dataclass(frozen=True)
class IdcSeries:
    """A series of a collection.

    Attributes:
        patient: as the collection names it.
        study, uid: of DICOM.
        modality, description: of the series.
        files, size: their number, and bytes in all.
        licence: short name.
        doi: DOI to cite.
        url: of its files, ends in ``/*``.
    """

    patient: str
    study: str
    uid: str
    modality: str
    description: str
    files: int
    size: int
    licence: str
    doi: str
    url: str

    @property
    def place(self) -> Path:
        """Path of the series below the output folder."""
        return Path(safe_name(self.patient), self.study, self.uid)


def find_series(
    collection: str, modalities: Iterable[str], patients: int | None = None
) -> tuple[IdcSeries, ...]:
    """The series of a collection, by patient.

    Args:
        collection: as IDC calls it: ``upenn_gbm``.
        modalities: of DICOM: ``MR``, ``SEG``.
        patients: so many of them, the first by name; all if it is not given.

    Raises:
        ConfigError: the collection does not exist, or has no series of these modalities.
            FormatError: an invalid entry of the index.
        MachineError: the index is not installed.
    """
    rows = read_rows(collection)
    if not rows:
        known = read_collections()
        raise ConfigError(
            "IDC has no such collection",
            field="collection",
            found=collection,
            hint=nearest(collection, known)
            or f"it has {len(known)}, see portal.imaging.datacommons.cancer.gov",
        )
    wanted_modalities = set(modalities)
    series = [_series(row) for row in rows if row["Modality"] in wanted_modalities]
    names = sorted({entry.patient for entry in series})[:patients]
    chosen = [entry for entry in series if entry.patient in set(names)]
    if not chosen:
        available = sorted({str(row["Modality"]) for row in rows})
        raise ConfigError(
            f"nothing of this kind in {collection}",
            field="modalities",
            found=", ".join(sorted(wanted_modalities)),
            allowed=", ".join(available),
        )
    return tuple(sorted(chosen, key=lambda entry: (entry.patient, entry.study, entry.uid)))


def index_version() -> str:
    """Version of the index; its first number is that of IDC's data."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("idc-index-data")
    except PackageNotFoundError:
        raise _not_installed() from None


def read_rows(collection: str) -> Sequence[dict[str, Any]]:
    """The rows of a collection in the index."""
    table = _table(list(_COLUMNS), [("collection_id", "=", collection)])
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def read_collections() -> tuple[str, ...]:
    """The names of all collections."""
    return tuple(sorted(set(_table(["collection_id"], None)["collection_id"].to_pylist())))


def _table(columns: list[str], filters: Any) -> Any:
    try:
        import idc_index_data
        from pyarrow import parquet
    except ImportError:
        raise _not_installed() from None
    path = idc_index_data.IDC_INDEX_PARQUET_FILEPATH
    return parquet.read_table(path, columns=columns, filters=filters)


def _not_installed() -> MachineError:
    return MachineError("the index of IDC is not installed", hint=INSTALL)


def _series(row: dict[str, Any]) -> IdcSeries:
    """A row, with every value that becomes a path or a command checked against its form."""
    for field in ("StudyInstanceUID", "SeriesInstanceUID"):
        value = str(row[field])
        if not _UID.fullmatch(value) or len(value) > _LONGEST_UID:
            raise FormatError("no UID in the index of IDC", field=field, found=value)
    url = str(row["series_aws_url"])
    if not _URL.fullmatch(url):
        raise FormatError("no address in the index of IDC", field="series_aws_url", found=url)
    return IdcSeries(
        patient=str(row["PatientID"]),
        study=str(row["StudyInstanceUID"]),
        uid=str(row["SeriesInstanceUID"]),
        modality=str(row["Modality"]),
        description=str(row["SeriesDescription"] or ""),
        files=int(row["instanceCount"]),
        size=round(float(row["series_size_MB"]) * 1e6),
        licence=str(row["license_short_name"] or "not known"),
        doi=str(row["source_DOI"] or ""),
        url=url,
    )
