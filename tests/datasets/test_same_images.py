"""One patient under two names, by images that are the same file."""

from __future__ import annotations

import shutil
from pathlib import Path

from gliomask.core.case import Case, ImageFile
from gliomask.datasets.same_images import join_same_images
from tests.datasets.tiny import scan


def case(patient: str, path: Path, name: str = "") -> Case:
    return Case(
        id=name or patient, patient=patient, images={"flair": ImageFile((path,))}, source="brats"
    )


def test_a_copy_and_a_link_are_of_the_same_patient(tmp_path: Path) -> None:
    first, other = scan(tmp_path / "a.nii.gz", 1), scan(tmp_path / "b.nii.gz", 2)
    copied = Path(shutil.copy(first, tmp_path / "c.nii.gz"))
    (tmp_path / "d.nii.gz").symlink_to(first)
    cases = [
        case("p9", first),
        case("p2", copied),
        case("p3", other),
        case("p4", tmp_path / "d.nii.gz"),
        case("p9", other, "p9_later"),
        *(case(f"q{n}", scan(tmp_path / f"q{n}.nii.gz", 10 + n)) for n in range(4)),
    ]
    joined, lines = join_same_images(cases)
    # p9_later is the image of p3, so p3 is p9, too.
    assert [c.patient for c in joined] == [*["p2"] * 5, "q0", "q1", "q2", "q3"]
    assert [c.id for c in joined][:5] == ["p9", "p2", "p3", "p4", "p9_later"]
    assert lines == ("p3, p4, p9 and p2 have the same image: treated as one patient, p2",)


def test_images_that_differ_in_one_byte_are_of_two(tmp_path: Path) -> None:
    for name, last in (("a", b"1"), ("b", b"2")):
        (tmp_path / name).write_bytes(b"x" * 200_000 + last)
    cases = [case("p1", tmp_path / "a"), case("p2", tmp_path / "b"), case("p3", tmp_path / "none")]
    joined, lines = join_same_images(cases)
    assert [c.patient for c in joined] == ["p1", "p2", "p3"]
    assert lines == ()


def test_an_image_of_most_patients_is_a_placeholder(tmp_path: Path) -> None:
    image = scan(tmp_path / "a.nii.gz")
    cases = [case(f"p{n}", image) for n in range(3)] + [case("q", scan(tmp_path / "b.nii.gz", 5))]
    joined, lines = join_same_images(cases)
    assert [c.patient for c in joined] == ["p0", "p1", "p2", "q"]
    assert lines == ("p0, p1, p2 have the same image, and are treated as different",)
