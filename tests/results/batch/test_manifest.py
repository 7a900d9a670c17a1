"""The manifest: what is fixed of a case before it is done, and that a change is noticed."""

from __future__ import annotations

import hashlib
import os
from dataclasses import fields, replace
from datetime import date, datetime
from pathlib import Path

import pytest

from gliomask.core.case import Case, ImageFile, SeriesUse
from gliomask.errors import CaseError, InputError, MachineError
from gliomask.results.batch.manifest import (
    Entry,
    entry_of,
    known_content,
    read_entry,
    read_manifest,
    unpacked_case,
    write_manifest,
)


def case(folder: Path, name: str = "a", ending: bytes = b"") -> Case:
    """A case with a series of two files and a file of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [Path(os.fsdecode(os.fsencode(folder / part) + ending)) for part in ("1", "2", "f")]
    for path in files:
        path.write_bytes(os.fsencode(path.name))
    images = {"t1": ImageFile(tuple(files[:2])), "flair": ImageFile((files[2],), channel=1)}
    series = (SeriesUse("3 T1", "t1", True, "the only one"),)
    return Case(name, f"p-{name}", images, notes=("a note",), series=series, source="s")


def write(path: Path, *entries: Entry) -> None:
    write_manifest(path, {"n4": False}, "rules", entries, [("x", "no images")])


@pytest.mark.parametrize("ending", [b"", b" \xfc\xff", "ü".encode()])
def test_a_case_is_read_as_it_was_written(tmp_path: Path, ending: bytes) -> None:
    first = entry_of(case(tmp_path / "in" / "a", "a", ending), None, None, {})
    second = entry_of(case(tmp_path / "in" / "b", "b", ending), None, None, {})
    write(tmp_path / "m", first, second)
    read = read_manifest(tmp_path / "m")
    assert [one.id for one in read.cases] == ["a", "b"]
    assert (read.options, read.rules, read.problems) == (
        {"n4": False},
        "rules",
        (("x", "no images"),),
    )
    assert [read_entry(tmp_path / "m", one.offset) for one in read.cases] == [first, second]


def test_every_field_of_a_case_is_kept(tmp_path: Path) -> None:
    made = replace(
        case(tmp_path / "in"),
        lost_origin=True,
        training_only=True,
        sparse=True,
        site="S",
        licence="CC BY 4.0",
        synthetic=True,
        patient_known=False,
        contrast_order="t1ce after t1",
        study_date=date(2024, 2, 29),
        acquired=datetime(2024, 2, 29, 13, 5, 7, 250000),
        study_uid="1.2.3",
    )
    plain = Case("", "", {})
    own = {f.name for f in fields(Case) if getattr(made, f.name) == getattr(plain, f.name)}
    assert own == {"label", "scheme", "label_names"}, "a new field: give it a value here"
    entry = entry_of(made, None, None, {})
    write(tmp_path / "m", entry)
    (listed,) = read_manifest(tmp_path / "m").cases
    assert read_entry(tmp_path / "m", listed.offset) == entry


def test_the_content_is_that_of_the_files(tmp_path: Path) -> None:
    made = entry_of(case(tmp_path / "a"), None, None, {})
    digests = (hashlib.sha256(name.encode()).digest() for name in ("1", "2", "f"))
    assert made.content == hashlib.sha256(b"".join(digests)).hexdigest()


def test_files_that_did_not_change_are_not_read_again(tmp_path: Path) -> None:
    made = entry_of(case(tmp_path / "in"), None, None, {})
    write(tmp_path / "m", replace(made, content="known"))
    known = known_content(tmp_path / "m")
    again = entry_of(made.case, None, None, known)
    assert again.content == "known"
    (tmp_path / "in" / "f").write_bytes(b"longer than before")
    assert entry_of(made.case, None, None, known).content not in ("known", made.content)
    assert known_content(tmp_path / "none") == {}


def test_what_a_result_depends_on_makes_another_task(tmp_path: Path) -> None:
    made = entry_of(case(tmp_path / "in"), None, None, {})
    others = [
        made,
        replace(made, content="other"),
        replace(made, case=replace(made.case, patient="q")),
        replace(made, case=replace(made.case, notes=())),
    ]
    write(tmp_path / "m", *others)
    assert len({one.of for one in read_manifest(tmp_path / "m").cases}) == len(others)
    before = read_manifest(tmp_path / "m").cases[0].of
    write_manifest(tmp_path / "m", {}, "other rules", [made], [])
    assert read_manifest(tmp_path / "m").cases[0].of != before


def test_a_change_after_the_listing_is_noticed(tmp_path: Path) -> None:
    made = entry_of(case(tmp_path / "in"), None, None, {})
    made.check_unchanged()
    (tmp_path / "in" / "2").write_bytes(b"changed")
    with pytest.raises(CaseError, match="has changed since it was listed"):
        made.check_unchanged()
    (tmp_path / "in" / "2").unlink()
    with pytest.raises(CaseError, match="has changed since it was listed"):
        made.check_unchanged()


def test_a_case_in_an_archive_is_found_wherever_that_is_unpacked(tmp_path: Path) -> None:
    archive, place, later = tmp_path / "a.zip", tmp_path / "place", tmp_path / "later"
    archive.write_bytes(b"zip")
    found = case(place / "study")
    made = entry_of(found, archive, place, {})
    write(tmp_path / "m", made)
    read = read_entry(tmp_path / "m", read_manifest(tmp_path / "m").cases[0].offset)
    assert read.files == (archive,)
    moved = unpacked_case(read, later)
    assert moved.images["t1"].paths == (later / "study" / "1", later / "study" / "2")
    assert replace(moved, images=found.images) == found


def test_a_manifest_that_was_replaced_is_no_case(tmp_path: Path) -> None:
    write(tmp_path / "m", entry_of(case(tmp_path / "in"), None, None, {}))
    with pytest.raises(MachineError, match="was replaced"):
        read_entry(tmp_path / "m", 3)
    with pytest.raises(MachineError, match="was replaced"):
        read_entry(tmp_path / "none", 0)


@pytest.mark.parametrize(
    "text",
    ["", "{}\n", '{"form": "other"}\n', "[]\n", "no JSON\n", '{"form": "gliomask batch 1"}\n'],
)
def test_other_files_are_no_manifests(tmp_path: Path, text: str) -> None:
    (tmp_path / "m").write_text(text)
    with pytest.raises(InputError, match="m: "):
        read_manifest(tmp_path / "m")


def test_where_nothing_was_begun_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no batch was started here"):
        read_manifest(tmp_path / "out" / ".batch" / "manifest.jsonl")
