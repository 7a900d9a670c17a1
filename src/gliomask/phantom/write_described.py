"""Cohorts that come with a description: nnU-Net, Decathlon, BIDS, a CSV table."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gliomask.core.atomic import write_text
from gliomask.core.labels import ENHANCING, NECROSIS, OEDEMA
from gliomask.core.volume import SEQUENCES
from gliomask.phantom.layout import (
    DESCRIPTION,
    LayoutWriter,
    SyntheticPatient,
    write_image,
    write_labels,
)

DECATHLON = {OEDEMA: 1, NECROSIS: 2, ENHANCING: 3}
BRATS_2023 = {NECROSIS: 1, OEDEMA: 2, ENHANCING: 3}
_BIDS = {"t1": "T1w", "t1ce": "ce-gadolinium_T1w", "t2": "T2w", "flair": "FLAIR"}
_DECATHLON_ORDER = ("flair", "t1", "t1ce", "t2")


def _nnunet_name(number: int) -> str:
    return f"PHANTOM_{number:03d}"


def _nnunet(folder: Path, patient: SyntheticPatient) -> None:
    name, affine = _nnunet_name(patient.number), patient.volume.affine
    for channel, image in enumerate(patient.volume.array):
        write_image(folder / "imagesTr" / f"{name}_{channel:04d}.nii.gz", image, affine)
    write_labels(folder / "labelsTr" / f"{name}.nii.gz", patient.labels, affine, BRATS_2023)


def _nnunet_summary(folder: Path, numbers: Sequence[int]) -> None:
    """Version 2 of nnU-Net's ``dataset.json``."""
    description = {
        "name": "Phantom",
        "description": DESCRIPTION,
        "channel_names": {"0": "T1", "1": "T1Gd", "2": "T2", "3": "FLAIR"},
        "labels": {"background": 0, "necrosis": 1, "edema": 2, "enhancing": 3},
        "numTraining": len(numbers),
        "file_ending": ".nii.gz",
    }
    write_text(folder / "dataset.json", json.dumps(description, indent=2) + "\n")


def _msd_name(number: int) -> str:
    return f"BRATS_{9000 + number}"


def _msd(folder: Path, patient: SyntheticPatient) -> None:
    """One 4-D file for all sequences."""
    name, affine = f"{_msd_name(patient.number)}.nii.gz", patient.volume.affine
    images = np.moveaxis(patient.volume.select(_DECATHLON_ORDER).array, 0, -1)
    write_image(folder / "imagesTr" / name, images, affine)
    write_labels(folder / "labelsTr" / name, patient.labels, affine, DECATHLON)


def _msd_summary(folder: Path, numbers: Sequence[int]) -> None:
    """The Decathlon's ``dataset.json``; numbers of labels as in its Task01."""
    names = [f"{_msd_name(number)}.nii.gz" for number in numbers]
    description = {
        "name": "Phantom",
        "description": DESCRIPTION,
        "tensorImageSize": "4D",
        "modality": {"0": "FLAIR", "1": "T1w", "2": "t1gd", "3": "T2w"},
        "labels": {
            "0": "background",
            "1": "edema",
            "2": "non-enhancing tumor",
            "3": "enhancing tumour",
        },
        "numTraining": len(names),
        "numTest": 0,
        "training": [{"image": f"./imagesTr/{n}", "label": f"./labelsTr/{n}"} for n in names],
        "test": [],
    }
    write_text(folder / "dataset.json", json.dumps(description, indent=2) + "\n")


def _bids(folder: Path, patient: SyntheticPatient) -> None:
    """A session of BIDS, its mask among the derivatives."""
    name, affine = f"sub-phantom{patient.number:03d}_ses-1", patient.volume.affine
    place = Path(name.replace("_", "/")) / "anat"
    for sequence, image in zip(patient.volume.sequences, patient.volume.array, strict=True):
        write_image(folder / place / f"{name}_{_BIDS[sequence]}.nii.gz", image, affine)
    mask = folder / "derivatives" / "manual" / place / f"{name}_label-tumor_mask.nii.gz"
    write_labels(mask, patient.labels, affine, dict.fromkeys(BRATS_2023, 1))


def _bids_summary(folder: Path, _numbers: Sequence[int]) -> None:
    about = {"Name": "Phantom", "BIDSVersion": "1.9.0", "Acknowledgements": DESCRIPTION}
    write_text(folder / "dataset_description.json", json.dumps(about, indent=2) + "\n")
    derived = {**about, "DatasetType": "derivative", "GeneratedBy": [{"Name": "manual"}]}
    path = folder / "derivatives" / "manual" / "dataset_description.json"
    write_text(path, json.dumps(derived, indent=2) + "\n")


def _table_name(number: int) -> str:
    return f"phantom-{number:03d}"


def _table(folder: Path, patient: SyntheticPatient) -> None:
    case, affine = folder / _table_name(patient.number), patient.volume.affine
    for sequence, image in zip(patient.volume.sequences, patient.volume.array, strict=True):
        write_image(case / f"{sequence}.nii.gz", image, affine)
    write_labels(case / "mask.nii.gz", patient.labels, affine, BRATS_2023)


def _table_summary(folder: Path, numbers: Sequence[int]) -> None:
    """``cases.csv``: a row for each case, paths relative to the table."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["patient", "case", *SEQUENCES, "mask", "labels"])
    for name in map(_table_name, numbers):
        files = [f"{name}/{kind}.nii.gz" for kind in (*SEQUENCES, "mask")]
        table.writerow([name, name, *files, "brats2023"])
    write_text(folder / "cases.csv", text.getvalue())


WRITERS = {
    "nnunet": LayoutWriter(_nnunet, _nnunet_summary),
    "msd": LayoutWriter(_msd, _msd_summary),
    "bids": LayoutWriter(_bids, _bids_summary),
    "table": LayoutWriter(_table, _table_summary),
}
"""Layout -> how it is written."""
