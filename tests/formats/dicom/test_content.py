"""Headers that would eat time or memory, or break the reader."""

from __future__ import annotations

import struct
from pathlib import Path
from unittest.mock import Mock

import pytest

from gliomask.formats.dicom import content
from gliomask.formats.dicom.file import read_file
from gliomask.formats.dicom.series import survey_files
from tests.formats.dicom.made import Plan, pixels, save, series

ITEM, LONG = b"\xfe\xff\x00\xe0", b"\xff\xff\xff\xff"
END_OF_ITEM, END = b"\xfe\xff\x0d\xe0" + bytes(4), b"\xfe\xff\xdd\xe0" + bytes(4)


def with_sequence(folder: Path, items: bytes) -> Path:
    """A slice with a sequence of undefined length, in front of its pixels' description."""
    save(folder, series(Plan(), pixels(Plan()))[:1])
    path = next(folder.iterdir())
    whole = path.read_bytes()
    place = whole.index(b"\x28\x00\x02\x00US")
    sequence = b"\x20\x00\x00\x92SQ\0\0" + LONG + items + END
    path.write_bytes(whole[:place] + sequence + whole[place:])
    return path


def reason(path: Path) -> str:
    (refused,) = survey_files([path]).refused
    return refused.reason


def test_a_crowd_of_items(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refused without pydicom, which needs half a minute for such a file."""
    path = with_sequence(tmp_path, (ITEM + bytes(4)) * 200_000)
    monkeypatch.setattr(content, "dcmread", Mock(side_effect=AssertionError("parsed")))
    assert "too many items (items=200000, allowed up to 150000)" in reason(path)


def test_items_across_chunks_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = with_sequence(tmp_path, (ITEM + bytes(4)) * 100)
    monkeypatch.setattr(content, "MAX_ITEMS", 99)
    for size in (5, 7, 8, 64, 1000):
        monkeypatch.setattr(content, "_CHUNK", size)
        assert "items=100," in reason(path)


def test_a_header_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elements = b"".join(struct.pack("<HH2sH", 9, n, b"LO", 0) for n in range(1, 9000))
    path = with_sequence(tmp_path, ITEM + LONG + elements + END_OF_ITEM)
    assert read_file(path).problem is None
    monkeypatch.setattr(content, "MAX_HEADER_BYTES", 60_000)
    assert "too long a header (bytes=more than 60000, allowed up to 60000)" in reason(path)


def test_what_is_skipped_is_no_part_of_the_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment = b"\x20\x00\x00\x40UT\0\0" + struct.pack("<I", 100_000) + b" " * 100_000
    save(tmp_path, series(Plan(), pixels(Plan()))[:1])
    path = next(tmp_path.iterdir())
    whole = path.read_bytes()
    place = whole.index(b"\x28\x00\x02\x00US")
    path.write_bytes(whole[:place] + comment + whole[place:])
    monkeypatch.setattr(content, "MAX_HEADER_BYTES", 60_000)
    assert read_file(path).problem is None


def test_sequences_within_sequences(tmp_path: Path) -> None:
    path = with_sequence(tmp_path, (ITEM + LONG + b"\x08\x00\x40\x11SQ\0\0" + LONG) * 5000)
    assert "can't be read as DICOM: maximum recursion depth" in reason(path)
