"""Writer of BIDS: images by subject and session, masks as a derivative with their label table."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from gliomask.core.atomic import write_text
from gliomask.core.identity import bids_label, bids_session
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.datasets.writing.target import (
    ENDING,
    TargetCase,
    WriteSummary,
    licence_text,
    write_image,
)
from gliomask.errors import InputError
from gliomask.formats.nifti import write_nifti

_SUFFIX: Final = {"t1": "T1w", "t1ce": "ce-gadolinium_T1w", "t2": "T2w", "flair": "FLAIR"}
_MASKS: Final = Path("derivatives") / "masks"
_VERSION: Final = "1.9.0"


class BidsWriter:
    """A subject for each patient, a session for each of several cases of a patient.

    Args:
        patients: case -> patient, of the whole data set.

    Raises:
        InputError: two patients would have the same subject, because BIDS allows letters and digits
            only.
    """

    def __init__(self, patients: Mapping[str, str]) -> None:
        self._names = dict(_names(patients))
        if twice := [name for name, n in Counter(self._names.values()).items() if n > 1]:
            raise InputError(
                "two cases would have the same session", field="session", found=twice[0]
            )

    def case(self, folder: Path, case: TargetCase) -> None:
        """See ``Writer.case``."""
        name = self._names[case.id]
        place = Path(name.replace("_", "/")) / "anat"
        for sequence, image in zip(case.volume.sequences, case.volume.array, strict=True):
            path = folder / place / f"{name}_{_SUFFIX[sequence]}{ENDING}"
            write_image(path, image, case.volume.affine)
        if case.mask is not None:
            path = folder / _MASKS / place / f"{name}_dseg{ENDING}"
            write_nifti(path, case.mask, case.volume.affine, RESEARCH_USE_ONLY)

    def name_of(self, case: str) -> str:
        """See ``Writer.name_of``."""
        return self._names[case]

    def summary(self, folder: Path, about: WriteSummary) -> None:
        """See ``Writer.summary``."""
        content = {
            "Name": about.name,
            "BIDSVersion": _VERSION,
            "License": licence_text(about.licences),
            "DatasetType": "raw",
            "Acknowledgements": RESEARCH_USE_ONLY,
        }
        _write_json(folder / "dataset_description.json", content)
        if not about.training:
            return
        derived = {
            **content,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "gliomask convert"}],
        }
        _write_json(folder / _MASKS / "dataset_description.json", derived)
        rows = [f"{number}\t{name}" for number, name in about.labels.items()]
        table = "\n".join(("index\tname", "0\tbackground", *rows))
        write_text(folder / _MASKS / "dseg.tsv", f"{table}\n")


def _names(patients: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """(case, its name in BIDS)."""
    subjects: dict[str, str] = {}
    for patient in patients.values():
        label = bids_label(patient)
        other = subjects.setdefault(label, patient)
        if other != patient:
            raise InputError(
                f"two patients would have the same BIDS subject ({label})",
                field="patient",
                found=f"{other}, {patient}",
            )
    several, sessions = Counter(patients.values()), Counter[str]()
    for case, patient in patients.items():
        label = bids_label(patient)
        sessions[patient] += 1
        session = bids_session(case) or (
            f"ses-{sessions[patient]}" if several[patient] > 1 else None
        )
        yield case, f"{label}_{session}" if session else label


def _write_json(path: Path, content: Mapping[str, object]) -> None:
    write_text(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
