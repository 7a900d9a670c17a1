"""Heads without a tumour as a data set for training: images on one grid, empty masks, a table.

    python -m benchmarks.accuracy.tumour_free HEADS... OUT

HEADS are anything that ``gliomask predict`` reads; OUT can be given to ``gliomask prepare``. Every
region counts as labelled, and is empty.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from gliomask.core.case import Case
from gliomask.core.csv_table import csv_text
from gliomask.datasets.table import COLUMNS
from gliomask.errors import CaseError
from gliomask.formats.nifti import write_nifti
from gliomask.studies.find import survey
from gliomask.studies.one_grid import load_on_one_grid

_LABELS = "1=necrosis,2=oedema,3=enhancing"


def lay_out(case: Case, out: Path) -> dict[str, str]:
    """Write the images and the mask of a case, and return its row of the table."""
    volume = load_on_one_grid(case).volume
    folder = out / case.id
    folder.mkdir(parents=True)
    mask = np.zeros(volume.shape, np.uint8)
    arrays = {**dict(zip(volume.sequences, volume.array, strict=True)), "mask": mask}
    for name, array in arrays.items():
        write_nifti(folder / f"{name}.nii.gz", array, volume.affine)
    files = {name: f"{case.id}/{name}.nii.gz" for name in arrays}
    return {"patient": case.patient, "case": case.id, "labels": _LABELS, **files}


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heads", type=Path, nargs="+")
    parser.add_argument("out", type=Path)
    options = parser.parse_args()
    heads, problems = survey(options.heads)
    if problems:
        raise CaseError(f"{problems[0].case}: {problems[0].reason}")
    options.out.mkdir(parents=True)
    rows = [lay_out(case, options.out) for case in heads]
    table = csv_text(COLUMNS, [[row.get(column) for column in COLUMNS] for row in rows])
    (options.out / "cases.csv").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
