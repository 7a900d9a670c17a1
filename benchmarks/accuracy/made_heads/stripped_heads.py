"""The heads of the LGG set without skull, as a data set for training.

    python -m benchmarks.accuracy.made_heads.stripped_heads KAGGLE_3M MASKS OUT

MASKS are its brain masks (``donors``), which are widened by a pixel. OUT can be given to
``gliomask prepare``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from benchmarks.accuracy.made_heads.donors import Head, brain_mask, heads
from gliomask.core.csv_table import csv_text
from gliomask.datasets.table import COLUMNS
from gliomask.errors import CaseError

MOST_LOST = 0.03
"""Share of the tumour that may lie outside the brain mask."""
HEAD_MM = 150
"""Height of a head; the set does not state the distance of slices."""


def write_stripped(head: Head, masks: Path, out: Path) -> dict[str, str]:
    """Write a case, and return its row of the table.

    Raises:
        CaseError: the brain mask leaves out more of the tumour than ``MOST_LOST``.
    """
    inside = ndimage.binary_dilation(brain_mask(masks, head.case), np.ones((3, 3, 1), bool))
    tumour = head.mask & inside
    if tumour.sum() < (1 - MOST_LOST) * head.mask.sum():
        raise CaseError("the brain mask leaves out tumour", path=masks / f"{head.case.id}.nii.gz")
    name = f"S-{head.case.id}"
    (out / name).mkdir()
    arrays = {sequence: head.images[sequence] * inside for sequence in head.case.images}
    affine = np.diag([1, 1, max(1, round(HEAD_MM / inside.shape[2])), 1])
    for key, array in {**arrays, "mask": tumour.astype(np.uint8)}.items():
        nib.save(nib.Nifti1Image(array, affine), out / name / f"{key}.nii.gz")
    files = {key: f"{name}/{key}.nii.gz" for key in (*arrays, "mask")}
    return {"patient": name, "case": name, "labels": "binary", **files}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("root", "masks", "out"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args()
    options.out.mkdir(parents=True)
    rows = [write_stripped(head, options.masks, options.out) for head in heads(options.root)]
    table = csv_text(COLUMNS, [[row.get(column) for column in COLUMNS] for row in rows])
    (options.out / "cases.csv").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
