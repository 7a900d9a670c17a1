"""Values out of headers that anybody may have written."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from pydicom import DataElement, Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import (
    clock,
    has,
    number,
    numbers,
    plain_text,
    seconds,
    text,
    whole,
    words,
)


def header(**values: Any) -> Dataset:
    dataset = Dataset()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for keyword, value in values.items():
            setattr(dataset, keyword, value)
    return dataset


def test_text() -> None:
    dataset = header(ImageType=["A", " b "], SeriesDescription="", ProtocolName="x\ny\t")
    assert text(dataset, "ImageType") == "A\\b"
    assert words(dataset, "ImageType") == ("A", "b")
    assert text(dataset, "SeriesDescription") == text(dataset, "StudyDescription") == ""
    assert text(dataset, "ProtocolName") == "x y"
    assert plain_text("\u202e" + "y" * 500) == "y" * 100


def test_a_number_that_only_describes() -> None:
    dataset = header(EchoTime=98, RepetitionTime=None, InversionTime=["1", "2"], FlipAngle="inf")
    found = [number(dataset, k) for k in ("EchoTime", "RepetitionTime", "InversionTime")]
    assert found == [98.0, None, None]
    assert number(dataset, "FlipAngle") is None
    assert not has(dataset, "RepetitionTime")
    assert has(dataset, "EchoTime")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "a field is missing"),
        ("1", "allowed 2 finite numbers"),
        (["1", "NaN"], "unusable"),
        (["1", "1e7"], "unusable"),
    ],
)
def test_numbers_that_geometry_rests_on(value: Any, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        numbers(header(PixelSpacing=value), "PixelSpacing", 2)


def test_a_sequence_is_no_number() -> None:
    dataset = Dataset()
    dataset.add(DataElement("PixelSpacing", "SQ", [Dataset(), Dataset()]))
    with pytest.raises(FormatError, match="not a number"):
        numbers(dataset, "PixelSpacing", 2)
    dataset.add(DataElement("Rows", "SQ", [Dataset()]))
    with pytest.raises(FormatError, match="unusable"):
        whole(dataset, "Rows", 10)


def test_whole_numbers() -> None:
    assert whole(header(Rows=10), "Rows", 10) == 10
    for value in (11, -1):
        with pytest.raises(FormatError, match=rf"\(NumberOfFrames={value}, allowed 0 to 10\)"):
            whole(header(NumberOfFrames=value), "NumberOfFrames", 10)


@pytest.mark.parametrize(
    "time", ["2400", "9959", "1060", "1099", "101061", "101099", "10105", "996199", "10", "", "x"]
)
def test_a_time_that_no_clock_shows(time: str) -> None:
    assert seconds(f"20200101{time}") is None
    dataset = Dataset()
    dataset.add(DataElement("SeriesDate", "LO", "20200101"))  # LO, so that pydicom accepts it
    dataset.add(DataElement("SeriesTime", "LO", time))
    assert clock(dataset, "SeriesDate", "SeriesTime") is None


@pytest.mark.parametrize("date", ["00000101", "20200001", "20200231", "2020011", "20201301"])
def test_a_date_that_no_calendar_has(date: str) -> None:
    assert seconds(f"{date}1011") is None


@pytest.mark.parametrize(
    ("time", "later"),
    [
        ("0000", 0),
        ("235959.5", 86399.5),
        ("101112.1234567", 36672.123),
        ("101112.5+0200", 36672.5),
        ("1011-0500", 36660),
    ],
)
def test_seconds_of_a_day(time: str, later: float) -> None:
    start = seconds("202001010000")
    moment = seconds(f"20200101{time}")
    assert start is not None
    assert moment is not None
    assert round(moment - start, 3) == later


def test_a_leap_second_is_the_end_of_its_minute() -> None:
    before, leap, after = (seconds(f"99991231{time}") for time in ("235958", "235960", "235959"))
    assert before is not None
    assert leap is not None
    assert after is not None
    assert before < after < leap < after + 1
