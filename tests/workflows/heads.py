"""The head of ``tests.fakes`` as DICOM series in any orientation, for tests of whole commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.core.volume import Affine
from tests.fakes import HEAD_AFFINE, head
from tests.formats.dicom.made import AXIAL, Plan, save, series

TAGS: dict[str, dict[str, Any]] = {
    "t1": {"SeriesDescription": "T1", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "flair": {"SeriesDescription": "FLAIR", "InversionTime": 2400.0},
}
BOX = ((12, 10, 4), (17, 14, 6))
"""The first and the last voxel of the bright box in the head."""


def box_centre() -> npt.NDArray[np.float64]:
    """RAS+ mm of the middle of the bright box: right of the head's middle, before and above it."""
    middle = np.append(np.mean(BOX, axis=0), 1)
    place: npt.NDArray[np.float64] = (HEAD_AFFINE @ middle)[:3]
    return place


def head_centre() -> npt.NDArray[np.float64]:
    """RAS+ mm of the middle of the head's voxels."""
    middle = np.append((np.array(head().shape[1:]) - 1) / 2, 1)
    place: npt.NDArray[np.float64] = (HEAD_AFFINE @ middle)[:3]
    return place


def plan_of(directions: Sequence[float] = AXIAL) -> Plan:
    """Slices in these directions that hold all of the head."""
    along = np.reshape(directions, (2, 3)).astype(float)
    normal = np.cross(*along)
    extent, centre = 32.0, head_centre() * (-1, -1, 1)
    between_columns, between_rows, step = 1.0, 1.25, 3.0
    columns, rows, slices = (int(extent / mm) for mm in (between_columns, between_rows, step))
    first = centre - along[0] * between_columns * (columns - 1) / 2
    first = first - along[1] * between_rows * (rows - 1) / 2 - normal * step * (slices - 1) / 2
    x, y, z = (round(float(mm), 6) for mm in first)
    return Plan(
        directions=tuple(directions),
        between_rows=between_rows,
        between_columns=between_columns,
        step=step,
        origin=(x, y, z),
        slices=slices,
        rows=rows,
        columns=columns,
    )


def plan_affine(plan: Plan) -> Affine:
    """(4, 4) of voxels (column, row, slice) to RAS+ mm."""
    corner = plan.world(0, 0, 0)
    steps = [plan.world(*unit) - corner for unit in ((1, 0, 0), (0, 1, 0), (0, 0, 1))]
    affine = np.eye(4)
    affine[:3] = np.column_stack([*steps, corner])
    return affine


def write_dicom_head(folder: Path, directions: Sequence[float] = AXIAL, **tags: Any) -> Plan:
    """T1 and FLAIR of the head, each voxel that of the head nearest to its place."""
    plan = plan_of(directions)
    index = np.indices((plan.columns, plan.rows, plan.slices)).reshape(3, -1)
    place = plan_affine(plan) @ np.vstack([index, np.ones((1, index.shape[1]))])
    nearest = np.rint(np.linalg.inv(HEAD_AFFINE) @ place)[:3].astype(int)
    inside = ((nearest.T >= 0) & (head().shape[1:] > nearest.T)).all(axis=1)
    for number, (name, image) in enumerate(zip(TAGS, head(), strict=True), 1):
        values = np.zeros(index.shape[1])
        values[inside] = image[tuple(nearest[:, inside])]
        stored = np.rint(100 * np.maximum(values, 0)).astype(int)
        stored = stored.reshape(plan.columns, plan.rows, plan.slices).transpose(2, 1, 0)
        save(folder, series(plan, stored, number, **{**TAGS[name], **tags}))
    return plan
