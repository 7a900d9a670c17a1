"""Dates and times that anybody may have written: no study is lost to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from gliomask.formats.dicom.tags import SeriesTags
from gliomask.formats.dicom.values import seconds
from gliomask.studies.dicom_dates import first_acquisition, study_date
from tests.finding import find_dicom_studies
from tests.formats.dicom.made import Plan, pixels, save, series

PLAN = Plan()


@pytest.mark.parametrize(
    ("day", "time"), [("99991231", "240000"), ("99991231", "235960"), ("20200101", "996199")]
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_a_study_with_an_impossible_time_harms_no_other(
    tmp_path: Path, day: str, time: str
) -> None:
    for study, tags in enumerate(({"SeriesDate": day, "SeriesTime": time}, {}), start=1):
        tags |= {"SeriesDescription": "Ax T2", "PatientID": f"P{study}"}
        save(tmp_path / f"{study}", series(PLAN, pixels(PLAN), 1, study, **tags))
    cases = find_dicom_studies(tmp_path).cases
    due = datetime(9999, 12, 31, 23, 59, 59) if time == "235960" else None
    assert {case.patient: case.acquired for case in cases} == {
        "P1": due,
        "P2": datetime(2001, 2, 3, 10, 11, 12),
    }


def test_the_first_acquisition() -> None:
    stamps = ("20200102101112", None, "20200102101111.9", "20200103000000")
    tags = [replace(SeriesTags(), acquired=seconds(stamp) if stamp else None) for stamp in stamps]
    assert first_acquisition(tags) == datetime(2020, 1, 2, 10, 11, 11)
    assert first_acquisition([SeriesTags()]) is None


def test_a_date_has_eight_digits() -> None:
    assert study_date("20200111") == date(2020, 1, 11)
    for text in ("2020111", "202011", "20200231", "2020-1-1", "", "REMOVED"):
        assert study_date(text) is None
