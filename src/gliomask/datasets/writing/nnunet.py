"""Writer of nnU-Net's raw layout (version 2): a file for each channel, ``dataset.json``."""

from __future__ import annotations

import json
from pathlib import Path

from gliomask.core.atomic import write_text
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.core.split import Split
from gliomask.datasets.writing.target import (
    CHANNEL_NAMES,
    ENDING,
    TargetCase,
    WriteSummary,
    licence_text,
    write_image,
)
from gliomask.formats.nifti import write_nifti

SPLITS_FILE = "splits_final.json"


class NnunetWriter:
    """``imagesTr`` and ``labelsTr``; cases without a mask go to ``imagesTs``."""

    def case(self, folder: Path, case: TargetCase) -> None:
        """See ``Writer.case``."""
        images = folder / ("imagesTs" if case.mask is None else "imagesTr")
        for channel, image in enumerate(case.volume.array):
            path = images / f"{case.id}_{channel:04d}{ENDING}"
            write_image(path, image, case.volume.affine)
        if case.mask is not None:
            path = folder / "labelsTr" / f"{case.id}{ENDING}"
            write_nifti(path, case.mask, case.volume.affine, RESEARCH_USE_ONLY)

    def name_of(self, case: str) -> str:
        """See ``Writer.name_of``."""
        return case

    def summary(self, folder: Path, about: WriteSummary) -> None:
        """See ``Writer.summary``."""
        named = {CHANNEL_NAMES.get(name, name): k for k, name in enumerate(about.sequences)}
        content = {
            "name": about.name,
            "description": RESEARCH_USE_ONLY,
            "licence": licence_text(about.licences),
            "channel_names": {str(k): name for name, k in named.items()},
            "labels": {"background": 0} | {name: k for k, name in about.labels.items()},
            "numTraining": len(about.training),
            "file_ending": ENDING,
        }
        text = json.dumps(content, indent=2, ensure_ascii=False)
        write_text(folder / "dataset.json", f"{text}\n")


def write_splits(folder: Path, split: Split, patients: dict[str, str]) -> None:
    """Write the folds as nnU-Net reads them: the validation patients of a fold are its held-out
    patients.

    Args:
        folder: folder of the data set; nnU-Net reads the file from its preprocessed folder.
        split: split by patient.
        patients: case -> patient, of the cases with a mask.
    """
    folds = [
        {
            "train": [case for case, name in patients.items() if name not in held_out],
            "val": [case for case, name in patients.items() if name in held_out],
        }
        for held_out in (set(parts.test) for parts in split.folds)
    ]
    write_text(folder / SPLITS_FILE, json.dumps(folds, indent=2) + "\n")
