"""Values out of headers that anybody may have written."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from pydicom import DataElement, Dataset

from gliomask.errors import FormatError
from gliomask.formats.dicom.values import has, number, numbers, plain_text, text, whole, words


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
