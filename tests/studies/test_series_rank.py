"""Of several series of one sequence, which is used, and what is said of the others."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gliomask.studies.dicom_audit import SeriesAudit
from tests.finding import find_dicom_studies
from tests.formats.dicom.made import CORONAL, SAGITTAL, Plan, pixels, save, series
from tests.studies.test_dicom_study import FLAIR, T1, T2

HEAD = Plan(between_rows=22.0, between_columns=19.0, slices=20, step=6.0, origin=(-99, -99, 0))
"""Axial, 209 x 220 x 120 mm."""
FRONT = replace(HEAD, directions=CORONAL, slices=40, step=5.0, origin=(-99.0, -99, 220))
"""Coronal: 40 slices through the same head, finer voxels."""


def looked(folder: Path, *made: tuple[Plan, dict[str, Any]]) -> tuple[SeriesAudit, ...]:
    for number, (plan, tags) in enumerate(made, start=1):
        save(folder / str(number), series(plan, pixels(plan, number), number, **tags))
    return find_dicom_studies(folder).audits


def used(audits: tuple[SeriesAudit, ...]) -> dict[str | None, str]:
    return {one.sequence: one.series.split()[1] for one in audits if one.used}


def test_the_plane_of_flair_goes_before_the_number_of_slices(tmp_path: Path) -> None:
    audits = looked(tmp_path, (FRONT, T1), (HEAD, T1), (HEAD, FLAIR))
    assert used(audits) == {"t1": "2", "flair": "3"}
    instead = "series 2 (Ax T1) is used for T1 instead: it lies in the plane of series 3 (Ax FLAIR)"
    after = "; if it was made after a contrast agent: `series=t1ce=1`"
    assert audits[0].problems == (instead + after,)
    (case,) = find_dicom_studies(tmp_path).cases
    why = "it lies in the plane of series 3 (Ax FLAIR)"
    assert case.series[1].why.endswith(f"preferred to series 1 (Ax T1): {why}")


def test_the_reference_is_axial_and_shows_the_whole_head(tmp_path: Path) -> None:
    slab = replace(HEAD, slices=8, between_rows=0.5, between_columns=0.5, rows=440, columns=418)
    audits = looked(tmp_path, (FRONT, FLAIR), (slab, FLAIR), (HEAD, FLAIR))
    assert used(audits) == {"flair": "3"}
    first, second, _ = (one.problems for one in audits)
    assert first[0].endswith("is used for FLAIR instead: its slices are axial")
    assert second[0].endswith("is used for FLAIR instead: it covers more of the head")


def test_without_flair_t2_is_what_others_are_held_against(tmp_path: Path) -> None:
    side = replace(FRONT, directions=SAGITTAL, origin=(-110.0, -99, 220))
    audits = looked(tmp_path, (side, T1), (FRONT, T1), (FRONT, T2))
    assert used(audits) == {"t1": "2", "t2": "3"}


def test_a_series_that_shows_half_the_head_is_left(tmp_path: Path) -> None:
    half = replace(HEAD, slices=10, between_rows=11.0, rows=20)
    audits = looked(tmp_path, (half, T2), (HEAD, T2), (HEAD, FLAIR))
    assert used(audits) == {"t2": "2", "flair": "3"}
    assert "it covers more of the head in series 3 (Ax FLAIR)" in audits[0].problems[0]


@pytest.mark.parametrize("reverse", [False, True])
def test_then_finer_voxels_then_more_slices_then_the_first(tmp_path: Path, reverse: bool) -> None:
    fine = replace(HEAD, between_rows=11.0, rows=20)
    long = replace(HEAD, slices=21)
    plans = [HEAD, long, fine, fine]
    audits = looked(tmp_path, *((plan, T2) for plan in (plans[::-1] if reverse else plans)))
    assert used(audits) == {"t2": "1" if reverse else "3"}
    said = {one.shape: one.problems[0] for one in audits if not one.used}
    assert said[12, 10, 20].endswith("its voxels are finer")
    assert said[12, 20, 20].endswith("it comes first")


def test_evidence_goes_before_the_place(tmp_path: Path) -> None:
    """A coronal series that name and timing call T2 before an axial one that its timing does."""
    audits = looked(tmp_path, (HEAD, {"SeriesDescription": "head"}), (FRONT, T2), (HEAD, FLAIR))
    assert used(audits) == {"t2": "2", "flair": "3"}
    assert "its name and its timing agree" in audits[0].problems[0]


def test_what_is_no_volume_needs_no_reason_of_its_own(tmp_path: Path) -> None:
    """Nobody is told about the geometry of diffusion."""
    twice = series(HEAD, pixels(HEAD, 1), 9, SeriesDescription="DWI")
    other = series(HEAD, pixels(HEAD, 2), 9, SeriesDescription="DWI")
    for dataset in other:
        dataset.SOPInstanceUID += "0"
    save(tmp_path / "9", [*twice, *other])
    *_, diffusion = looked(tmp_path, (HEAD, T1))
    assert diffusion.problems == ("by its name diffusion",)
