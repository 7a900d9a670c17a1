"""Series of a study on one grid: untouched where they agree, told where they did not."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from gliomask.alignment.resampling import resample_to
from gliomask.alignment.study import AlignedStudy, align_study
from gliomask.core.volume import Affine
from gliomask.errors import CaseError
from gliomask.formats.images import Image
from tests.alignment.blobs import scan
from tests.alignment.grids import Shape, centred, moved, turned

SHAPE: Shape = (46, 54, 26)
AFFINE = centred(SHAPE, (3.5, 3.5, 6))
FLAIR = Image(scan(SHAPE, AFFINE, "flair", seed=1), AFFINE, has_world=True)
FINE: Shape = (50, 62, 50)
FINE_AFFINE = turned(12, (1, 1, 0)) @ centred(FINE, (3.2, 3, 3.1))


def t1(shape: Shape = FINE, affine: Affine = FINE_AFFINE, move: Affine | None = None) -> Image:
    """T1 on a grid, of a head that has moved since FLAIR."""
    true = affine if move is None else move @ affine
    return Image(scan(shape, true, "t1", seed=2), affine, has_world=True)


def registered(study: AlignedStudy) -> dict[str, Any]:
    """What the record says of T1; it goes through JSON."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(study.provenance)))
    found: dict[str, Any] = plain["series"]["t1"]
    return found


def test_series_on_one_grid_are_not_touched() -> None:
    rounded = AFFINE + 1e-4
    other = t1(SHAPE, AFFINE)._replace(affine=rounded)
    study = align_study({"t1": other, "flair": FLAIR})
    np.testing.assert_array_equal(study.volume.array, [other.array, FLAIR.array])
    np.testing.assert_array_equal(study.volume.affine, AFFINE)
    assert study.volume.sequences == ("t1", "flair")
    assert study.notes == ()
    assert study.provenance == {}


def test_another_grid_is_resampled_and_told() -> None:
    """The head has not moved, so the registration gains nothing and is not used."""
    series = {"t1": t1(), "flair": FLAIR}
    study = align_study(dict(series), "flair")
    expected = resample_to(series["t1"].array, FINE_AFFINE, SHAPE, AFFINE)
    np.testing.assert_array_equal(study.volume.array[0], expected)
    np.testing.assert_array_equal(study.volume.array[1], FLAIR.array)
    np.testing.assert_array_equal(study.volume.affine, AFFINE)
    assert study.notes == ("t1 was resampled to the grid of flair",)
    record = registered(study)
    assert record["degrees"] == record["mm"] == 0
    assert record["resampled"] is True
    assert record["share_of_head"] == 1
    # smooth as the head is, what comes out is what a scan on FLAIR's grid would have shown
    assert np.corrcoef(expected.ravel(), t1(SHAPE, AFFINE).array.ravel())[0, 1] > 0.98


def test_any_series_can_be_the_reference() -> None:
    study = align_study({"t1": t1(), "flair": FLAIR}, "t1")
    assert study.volume.shape == FINE
    np.testing.assert_array_equal(study.volume.affine, FINE_AFFINE)
    assert study.notes == ("flair was resampled to the grid of t1",)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("t1", "t2", "flair"), "flair"),
        pytest.param(("t1", "t1ce", "t2"), "t2", marks=pytest.mark.slow),
        pytest.param(("dwi", "adc"), "dwi", marks=pytest.mark.slow),
    ],
)
def test_the_reference_if_none_is_named(names: tuple[str, ...], expected: str) -> None:
    series = dict.fromkeys(names, t1()) | {expected: FLAIR}
    assert align_study(series).provenance["reference"] == expected


def test_no_such_reference() -> None:
    with pytest.raises(CaseError, match=r"\(`reference`=t2, allowed t1, flair\)"):
        align_study({"t1": t1(), "flair": FLAIR}, "t2")


def test_a_series_that_shows_only_a_part_is_noted_or_refused() -> None:
    """Slabs of 3.1 mm slices through a head that is 130 mm high."""

    def slab(slices: int) -> Image:
        shape: Shape = (50, 62, slices)
        return t1(shape, centred(shape, (3.2, 3, 3.1)))

    (note,) = align_study({"t1": slab(32), "flair": FLAIR}).notes
    assert "it covers 8" in note or "it covers 9" in note
    with pytest.raises(CaseError, match=r"t1 shows too little of the head in flair \(.*from 70%"):
        align_study({"t1": slab(20), "flair": FLAIR})


def test_pictures_have_no_place_to_be_resampled_by() -> None:
    picture = t1()._replace(has_world=False)
    with pytest.raises(CaseError, match="pictures have no voxel size"):
        align_study({"t1": picture, "flair": FLAIR}, "flair")
    same = FLAIR._replace(has_world=False)
    assert not align_study({"t1": same, "flair": same}, "flair").volume.has_world
    assert not align_study({"t1": same, "flair": same}, scanned=True).notes


def test_a_head_that_moved_is_registered_and_told() -> None:
    series = {"t1": t1(move=moved(4, -3, 6) @ turned(7)), "flair": FLAIR}
    there = t1(SHAPE, AFFINE).array
    study = align_study(dict(series))
    before = resample_to(series["t1"].array, FINE_AFFINE, SHAPE, AFFINE)
    wrong, right = (float(np.abs(a - there).mean()) for a in (before, study.volume.array[0]))
    assert right < 0.4 * wrong
    (note,) = study.notes
    assert note.startswith("t1 was registered (")
    assert note.endswith("mm) and resampled to the grid of flair")
    told = registered(study)
    assert told["degrees"] == pytest.approx(7, abs=0.5)
    assert told["mutual_information"][1] > told["mutual_information"][0]
    assert np.shape(told["transform"]) == (4, 4)


def test_registration_leaves_a_head_that_has_not_moved() -> None:
    other = t1(SHAPE, AFFINE)
    study = align_study({"t1": other, "flair": FLAIR}, scanned=True)
    np.testing.assert_array_equal(study.volume.array[0], other.array)
    assert study.notes == ()
    assert registered(study)["mm"] == 0


def test_scans_of_one_grid_are_registered_too_when_the_head_has_moved() -> None:
    other = t1(SHAPE, AFFINE, move=moved(0, 5, 0))
    assert align_study({"t1": other, "flair": FLAIR}).notes == ()
    study = align_study({"t1": other, "flair": FLAIR}, scanned=True)
    assert registered(study)["mm"] == pytest.approx(5, abs=0.3)


def test_a_movement_that_is_not_believed_is_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """The headers' word stands, and the case is marked to be looked at."""
    monkeypatch.setattr("gliomask.alignment.registration.MOST_DEGREES", 3.0)
    other = t1(move=turned(7))
    study = align_study({"t1": other, "flair": FLAIR})
    expected = resample_to(other.array, FINE_AFFINE, SHAPE, AFFINE)
    np.testing.assert_array_equal(study.volume.array[0], expected)
    (reason,) = study.reasons
    assert (reason.level, reason.code) == ("amber", "not_registered")
    assert "t1 is aligned with flair by the headers" in reason.text
    assert "allowed 3 degrees" in reason.text


def test_a_series_of_another_place_is_refused_before_it_is_registered() -> None:
    far = t1()._replace(affine=moved(0, 0, 110) @ FINE_AFFINE)
    with pytest.raises(CaseError, match=r"t1 shows too little of the head in flair \(.*from 30%"):
        align_study({"t1": far, "flair": FLAIR})
