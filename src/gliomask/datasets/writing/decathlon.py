"""Writer of the Medical Segmentation Decathlon layout: one file for all channels of a case."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from gliomask.core.atomic import write_text
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.datasets.writing.target import (
    CHANNEL_NAMES,
    ENDING,
    TargetCase,
    WriteSummary,
    licence_text,
    write_image,
)
from gliomask.formats.nifti import write_nifti


class DecathlonWriter:
    """``imagesTr`` and ``labelsTr``; cases without a mask go to ``imagesTs``."""

    def case(self, folder: Path, case: TargetCase) -> None:
        """See ``Writer.case``."""
        images = folder / ("imagesTs" if case.mask is None else "imagesTr")
        whole = np.moveaxis(case.volume.array, 0, -1)
        array = whole[..., 0] if whole.shape[-1] == 1 else whole
        write_image(images / f"{case.id}{ENDING}", array, case.volume.affine)
        if case.mask is not None:
            path = folder / "labelsTr" / f"{case.id}{ENDING}"
            write_nifti(path, case.mask, case.volume.affine, RESEARCH_USE_ONLY)

    def name_of(self, case: str) -> str:
        """See ``Writer.name_of``."""
        return case

    def summary(self, folder: Path, about: WriteSummary) -> None:
        """See ``Writer.summary``."""
        names = [CHANNEL_NAMES.get(name, name) for name in about.sequences]
        labels = {"0": "background"} | {str(k): name for k, name in about.labels.items()}
        training = [
            {"image": f"./imagesTr/{case}{ENDING}", "label": f"./labelsTr/{case}{ENDING}"}
            for case in about.training
        ]
        content = {
            "name": about.name,
            "description": RESEARCH_USE_ONLY,
            "reference": "",
            "licence": licence_text(about.licences),
            "release": "1.0",
            "tensorImageSize": "3D" if len(names) == 1 else "4D",
            "modality": {str(k): name for k, name in enumerate(names)},
            "labels": labels,
            "numTraining": len(about.training),
            "numTest": len(about.bare),
            "training": training,
            "test": [f"./imagesTs/{case}{ENDING}" for case in about.bare],
        }
        text = json.dumps(content, indent=2, ensure_ascii=False)
        write_text(folder / "dataset.json", f"{text}\n")
