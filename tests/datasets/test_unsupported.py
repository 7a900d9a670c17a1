"""Files of formats that are not read are named; slices that are missing or alone are understood."""

from __future__ import annotations

import re
from pathlib import Path
from zipfile import ZipFile

import nibabel as nib
import numpy as np
import pytest
from PIL import Image

from gliomask.cli.spelling import spelled
from gliomask.datasets.find import find_cases
from gliomask.errors import InputError, LayoutError
from gliomask.formats.images import read_image
from gliomask.formats.pictures import write_picture
from gliomask.formats.volumes import volume_format
from tests.datasets.tiny import AFFINE, intensities, scan
from tests.finding import find_studies


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        find_studies([path])
    assert "\n" not in str(refused.value)
    return str(refused.value)


@pytest.mark.parametrize("ending", [".nii.bz2", ".mnc", ".gif", ".npy", ".gipl.gz"])
def test_what_lies_there_and_is_not_read(tmp_path: Path, ending: str) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / f"flair{ending}").touch()
    assert f"1 {ending} there, in an unsupported format; convert" in refusal(tmp_path)
    (tmp_path / "sub" / f"t1{ending}").touch()
    (tmp_path / "notes.txt").touch()
    assert f"2 {ending} there, in an unsupported format; convert" in refusal(tmp_path)


def test_an_empty_folder_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").touch()
    assert "no volumes, pictures or DICOM" in refusal(tmp_path)


def zipped(path: Path, name: str = "p1_flair.nii") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ZipFile(path, "w") as archive:
        archive.writestr(name, b"0")
    return path


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("manifest.json", "a store that gliomask prepared"),
        ("card.json", "a folder of a model"),
        ("metrics.csv", "an evaluation"),
    ],
)
def test_a_folder_that_gliomask_wrote_is_not_a_data_set(
    tmp_path: Path, name: str, what: str
) -> None:
    (tmp_path / name).touch()
    with pytest.raises(LayoutError, match=f"{what}, not a data set$"):
        find_cases(tmp_path)


@pytest.mark.parametrize("place", ["study.zip", "a/b/Study.ZIP", "flair.nii.zip"])
def test_a_folder_that_holds_only_an_archive(tmp_path: Path, place: str) -> None:
    archive = zipped(tmp_path / place)
    (tmp_path / "notes.txt").touch()
    said = spelled(refusal(tmp_path))
    assert f"no images but a zip archive ({archive.name})" in said
    assert f"gliomask predict {archive}, or first gliomask inspect {archive}" in said
    assert "known layouts" not in said


def test_several_archives_are_counted(tmp_path: Path) -> None:
    for name in "dcba":
        zipped(tmp_path / f"{name}.zip")
    said = spelled(refusal(tmp_path))
    assert "4 zip archives (a.zip, b.zip, c.zip, ...)" in said
    assert f"gliomask predict {tmp_path / 'a.zip'} with the others after it" in said


def test_an_archive_is_no_data_set(tmp_path: Path) -> None:
    archive = zipped(tmp_path / "set.zip")
    for path, what in ((tmp_path, "a zip archive (set.zip)"), (archive, "a zip archive, not a")):
        with pytest.raises(LayoutError, match=re.escape(what)) as refused:
            find_cases(path)
        assert "unpack it and give the folder" in str(refused.value)


def test_an_archive_beside_images_is_noted(tmp_path: Path) -> None:
    scan(tmp_path / "p1_flair.nii.gz")
    zipped(tmp_path / "p2.zip")
    (case,) = find_studies([tmp_path])
    assert (
        "p2.zip is not used: an archive in a folder is not unpacked, name it itself" in case.notes
    )


def test_an_unread_file_beside_others_is_noted(tmp_path: Path) -> None:
    scan(tmp_path / "p1_flair.nii.gz")
    (tmp_path / "p1_t1ce.mnc").touch()
    (case,) = find_studies([tmp_path])
    assert "p1_t1ce.mnc is not used: .mnc is not read, convert it to .nii.gz" in case.notes


@pytest.mark.parametrize("ending", [".mgz", ".mgh", ".nrrd", ".mha", ".nii.gz"])
def test_every_volume_format_in_a_folder_and_by_name(tmp_path: Path, ending: str) -> None:
    for name, seed in (("p1_flair", 1), ("p1_t1ce", 2)):
        path = tmp_path / f"{name}{ending}"
        form = volume_format(path)
        assert form is not None
        form.codec.write_volume(path, intensities(seed), AFFINE)
    (case,) = find_studies([tmp_path])
    assert tuple(case.images) == ("t1ce", "flair")
    assert case.id == "p1"
    assert np.array_equal(read_image(case.images["flair"]).array, intensities(1))
    (given,) = find_studies([], {"flair": tmp_path / f"p1_flair{ending}"})
    assert given.images["flair"] == case.images["flair"]


def test_both_halves_of_a_pair_are_one_image(tmp_path: Path) -> None:
    image = nib.Nifti1Pair(intensities(1), AFFINE)
    nib.save(image, tmp_path / "flair.img")
    for inputs in ([tmp_path], [tmp_path / "flair.hdr", tmp_path / "flair.img"]):
        (case,) = find_studies(inputs)
        assert np.array_equal(read_image(case.images["flair"]).array, intensities(1))


def grey(folder: Path, *numbers: int, suffix: str = "png") -> Path:
    folder.mkdir(exist_ok=True)
    for number in numbers:
        Image.fromarray(np.eye(9, dtype=np.uint8)).save(folder / f"flair_{number:02d}.{suffix}")
    return folder


def test_a_stack_of_grey_pictures_with_a_gap(tmp_path: Path) -> None:
    assert "slices are missing: 4, 5" in refusal(grey(tmp_path / "a", 1, 2, 3, 6))
    for name, numbers in {"b": (3, 4, 5), "c": (1, 3, 5), "d": (7,)}.items():
        (case,) = find_studies([grey(tmp_path / name, *numbers)])
        assert len(case.images["flair"].paths) == len(numbers)


def test_jpegs_are_slices(tmp_path: Path) -> None:
    (case,) = find_studies([grey(tmp_path / "a", 1, 2, 3, suffix="jpg")])
    assert read_image(case.images["flair"]).array.shape == (9, 9, 3)


def test_one_colour_slice_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "TCGA_CS_4941_19960909"
    folder.mkdir()
    colours = np.random.default_rng(0).integers(0, 255, (9, 9, 3)).astype(np.uint8)
    path = folder / "TCGA_CS_4941_19960909_12.tif"
    write_picture(path, colours)
    (case,) = find_studies([path])
    assert tuple(case.images) == ("t1", "t1ce", "flair")
    assert np.array_equal(read_image(case.images["flair"]).array[..., 0], colours[..., 1].T)
    assert any("assumed to be pre-contrast T1, FLAIR" in note for note in case.notes)
