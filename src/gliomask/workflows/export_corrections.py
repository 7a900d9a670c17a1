"""``export-corrections``: approved corrections become a data set that ``prepare`` reads.

    OUT/cases.csv                the table layout, with the patient of each case
        <case>/flair.nii.gz ...  the images, as they were segmented
               mask.nii.gz       the corrected mask
        README.txt

All cases are for training only: scores against a corrected mask would be biased in favour of the
network that drew it, and of models trained from it.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.config.export_corrections import ExportCorrectionsOptions as ExportCorrectionsOptions
from gliomask.core.atomic import atomic_folder, write_text, writing
from gliomask.core.csv_table import csv_text
from gliomask.core.output_folder import check_replaceable
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.volume import SEQUENCES
from gliomask.datasets.find import SYNTHETIC_MARK
from gliomask.datasets.table import TRAINING
from gliomask.errors import InputError
from gliomask.formats.editable_case import ENDING, IMAGE_LAYER, EditableCase, read_editable_case
from gliomask.jobs.control import SILENT, Control

TABLE: Final = "cases.csv"
_README: Final = "README.txt"
_MASK: Final = f"mask{ENDING}"
_IMAGES: Final = {sequence: f"{sequence}{ENDING}" for sequence in SEQUENCES}
_OURS: Final = (TABLE, _README, SYNTHETIC_MARK, *(f"*/{n}" for n in (_MASK, *_IMAGES.values())))
_ABOUT: Final = """Corrected tumour masks, exported by gliomask serve. {notice}.

The masks were drawn by a network, corrected by one reader and approved by another. They are for
training only; evaluate no model on them. `gliomask prepare` reads this folder, `gliomask train`
continues the training of a model on the prepared store.
"""


@dataclass(frozen=True)
class ApprovedCorrection:
    """An approved correction.

    Attributes:
        job, number: its identifiers on the server.
        author, approver: owners of the tokens.
        mask: the corrected mask.
        case: folder of the editable case.
    """

    job: str
    number: int
    author: str
    approver: str
    mask: Path
    case: Path


@dataclass(frozen=True)
class ExportCorrectionsResult:
    """Data set of corrections.

    Attributes:
        out: its folder.
        cases: their names.
        patients: their keys.
        superseded: number of corrections that have a newer one of the same images.
    """

    out: Path
    cases: tuple[str, ...]
    patients: tuple[str, ...]
    superseded: int


def export_corrections(
    options: ExportCorrectionsOptions,
    approved: Sequence[ApprovedCorrection],
    control: Control = SILENT,
) -> ExportCorrectionsResult:
    """Write approved corrections as a data set, atomically.

    Args:
        options: the options.
        approved: corrections, oldest first; of several for the same images the last is used.
        control: progress, and a stop on request.

    Raises:
        InputError: there are none; ``out`` contains something else.
        FormatError: a damaged case; MachineError: the disk.
    """
    check_replaceable(options.out, "an export of corrections", {TABLE}, _OURS)
    if not approved:
        hint = "a second reader must approve them on the page or with the API"
        raise InputError("no correction is approved", path=options.data, hint=hint)
    control.start(len(approved), "exporting corrections")
    newest: dict[str, tuple[ApprovedCorrection, EditableCase]] = {}
    for correction in approved:
        case = read_editable_case(correction.case)
        newest[_images(correction.case, case)] = (correction, case)
    rows = []
    with atomic_folder(options.out) as folder:
        for correction, case in newest.values():
            rows.append(_write(folder, correction, case))
            control.advance(note=rows[-1]["case"])
        columns = ("patient", "case", *SEQUENCES, "mask", "labels", "use", "author", "approver")
        cells = [[row.get(column, "") for column in columns] for row in rows]
        write_text(folder / TABLE, csv_text(columns, cells))
        write_text(folder / _README, _ABOUT.format(notice=RESEARCH_USE_ONLY))
        if all(case.synthetic for _, case in newest.values()):
            write_text(folder / SYNTHETIC_MARK, "")
    return ExportCorrectionsResult(
        out=options.out,
        cases=tuple(row["case"] for row in rows),
        patients=tuple(sorted({row["patient"] for row in rows})),
        superseded=len(approved) - len(rows),
    )


def _write(folder: Path, correction: ApprovedCorrection, case: EditableCase) -> Mapping[str, str]:
    """Copy the files of a case; return its row of the table."""
    name = f"{case.case}-{correction.job[:8]}"
    row = {
        "patient": case.patient,
        "case": name,
        "mask": f"{name}/{_MASK}",
        "labels": _labels(case),
        "use": TRAINING,
        "author": correction.author,
        "approver": correction.approver,
    }
    place = folder / name
    with writing(place):
        place.mkdir()
        shutil.copyfile(correction.mask, folder / row["mask"])
        for sequence in case.sequences:
            row[sequence] = f"{name}/{_IMAGES[sequence]}"
            shutil.copyfile(
                correction.case / f"{IMAGE_LAYER}{sequence}{ENDING}", folder / row[sequence]
            )
    return row


def _labels(case: EditableCase) -> str:
    """Labels of the mask: each region without its inner regions."""
    names = {region.name for region in case.regions}
    outer = "oedema" if "core" in names else "tumour"
    words = {
        "whole": outer,
        "core": "necrosis" if "enhancing" in names else "core",
        "enhancing": "enhancing",
    }
    pairs = sorted((region.number, words[region.name]) for region in case.regions)
    return ",".join(f"{number}={word}" for number, word in pairs)


def _images(folder: Path, case: EditableCase) -> str:
    """Digest of the images of a case."""
    digest = hashlib.sha256()
    for sequence in sorted(case.sequences):
        with (folder / f"{IMAGE_LAYER}{sequence}{ENDING}").open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
