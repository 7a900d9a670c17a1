"""What may be pointed at for a prediction, and when the user is asked instead."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from gliomask.errors import CaseError, InputError, LayoutError
from gliomask.formats.pictures import write_picture
from gliomask.studies.find import survey
from gliomask.studies.user_choice import chosen_case
from tests.datasets.tiny import brats, kaggle, mask, scan
from tests.finding import find_studies


def slices(folder: Path, *names: str) -> Path:
    for k, name in enumerate(names):
        folder.mkdir(parents=True, exist_ok=True)
        write_picture(folder / name, np.full((4, 3), k, np.uint8))
    return folder


def refusal(*inputs: Path, **given: Path) -> str:
    with pytest.raises(InputError) as refused:
        find_studies(inputs, given)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_folder_of_volumes_with_their_mask_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "Jane Doe"
    for name in ("T1.nii.gz", "T1_post.nii", "T2w.nii.gz", "T2-FLAIR.nii.gz", "adc.nii.gz"):
        scan(folder / name)
    mask(folder / "tumour_seg.nii.gz", 1)
    (case,) = find_studies([folder])
    assert case.id == "Jane_Doe"
    assert tuple(case.images) == ("t1", "t1ce", "t2", "flair")
    assert case.images["t1ce"].paths == (folder / "T1_post.nii",)
    assert case.label is None
    assert case.notes == ("adc.nii.gz is not used: its name states diffusion",)
    assert not case.synthetic


def test_files_named_one_by_one(tmp_path: Path) -> None:
    one = scan(tmp_path / "sub-01_ses-2_T1w.nii.gz")
    other = scan(tmp_path / "sub-01_ses-2_FLAIR.nii.gz")
    (case,) = find_studies([one, other])
    assert case.id == "sub-01-ses-2"
    assert set(case.images) == {"t1", "flair"}
    (single,) = find_studies([other])
    assert set(single.images) == {"flair"}


def test_files_of_several_examinations(tmp_path: Path) -> None:
    files = [scan(tmp_path / f"{p}_{s}.nii.gz") for p in ("ann", "bob") for s in ("t1", "flair")]
    cases = find_studies(files)
    assert [case.id for case in cases] == ["ann", "bob"]
    assert all(set(case.images) == {"t1", "flair"} for case in cases)
    assert find_studies([tmp_path]) == cases


def test_numbers_of_patients_are_not_acceleration_factors(tmp_path: Path) -> None:
    for patient in ("p1", "p2", "p3"):
        for sequence in ("t1_p2", "flair"):
            scan(tmp_path / f"{patient}_{sequence}.nii.gz")
    assert [case.id for case in find_studies([tmp_path])] == ["p1", "p2", "p3"]


def test_ct1_is_after_contrast_among_the_names_of_hd_glio(tmp_path: Path) -> None:
    for week in ("week-000-1", "week-044"):
        for name in ("CT1", "T1", "T2", "FLAIR"):
            scan(tmp_path / "Patient-001" / week / f"{name}.nii.gz")
    first, second = find_studies([tmp_path])
    assert [case.id for case in (first, second)] == [
        "Patient-001_week-000-1",
        "Patient-001_week-044",
    ]
    assert first.patient == second.patient == "Patient-001"
    assert first.images["t1ce"].paths[0].name == "CT1.nii.gz"
    (tmp_path / "Patient-001" / "week-044" / "T1.nii.gz").unlink()
    assert "may mean contrast" in refusal(tmp_path / "Patient-001" / "week-044")


@pytest.mark.parametrize(
    ("names", "patient"),
    [
        (("RHUH-0001_0_t1.nii.gz", "RHUH-0001_1_t1.nii.gz"), "RHUH-0001"),
        (("UPENN-GBM-00055_11_T1GD.nii.gz", "UPENN-GBM-00055_21_T1GD.nii.gz"), "UPENN-GBM-00055"),
        (("UCSF-PDGM-0004_T1c_bias.nii.gz", "UCSF-PDGM-0004_FU003d_T1c_bias.nii.gz"),
         "UCSF-PDGM-0004"),
        (("BraTS2021_00000_t1ce.nii.gz", "BraTS2021-00000-t1ce.nii.gz"), "BraTS2021_00000"),
        (("Brats18_TCIA10_628_1_t1.nii.gz", "BraTS20_Training_309_t1.nii.gz"), "TCGA-DU-A5TR"),
        (("HF1318_1994.03.05_t1Gd_LPS_rSRI.nii.gz", "HF1318_1995.01.20_t1Gd_LPS_rSRI.nii.gz"),
         "HF1318"),
    ],
)  # fmt: skip
def test_examinations_of_one_patient_by_published_names(
    tmp_path: Path, names: tuple[str, str], patient: str
) -> None:
    for number, name in enumerate(names):
        scan(tmp_path / str(number) / name)
        (case,) = find_studies([tmp_path / str(number)])
        assert case.patient == patient


@pytest.mark.parametrize("name", ["vol", "img_001", "raw", "series2"])
def test_names_that_anybody_has_name_no_patient(tmp_path: Path, name: str) -> None:
    for person in ("ann", "bob"):
        for sequence in ("t1", "flair"):
            scan(tmp_path / person / f"{name}_{sequence}.nii.gz")
    cases = find_studies([tmp_path])
    assert len({case.id for case in cases}) == len({case.patient for case in cases}) == 2
    assert all(p in case.patient for p, case in zip(("ann", "bob"), cases, strict=True))


def test_files_in_several_folders(tmp_path: Path) -> None:
    ann, bob = (scan(tmp_path / name / "flair.nii.gz") for name in ("ann", "bob"))
    assert [case.id for case in find_studies([ann, bob])] == ["ann", "bob"]
    other = scan(tmp_path / "cid" / "t1.nii.gz")
    assert "isn't clear which files belong together" in refusal(ann, other)


@pytest.mark.parametrize(
    ("names", "what", "options"),
    [
        (("a_t1.nii", "b_flair.nii"), "isn't clear which files belong together: a_t1.nii, b_flair",
         "state the sequence of each file"),
        (("t1.nii", "t1_brain.nii"), "two files for t1: t1.nii and t1_brain.nii",
         "`predict t1={0}/t1.nii` or `predict t1={0}/t1_brain.nii`"),
        (("t1_in_t2_space.nii",), "the name can mean t1 or t2",
         "`predict t1={0}/t1_in_t2_space.nii` or `predict t2={0}/t1_in_t2_space.nii`"),
        (("CE_t1.nii",), "a letter in the name may mean contrast",
         "`predict t1={0}/CE_t1.nii` or `predict t1ce={0}/CE_t1.nii`"),
        (("brain.nii",), "no file name contains a sequence: brain.nii",
         "`predict flair={0}/brain.nii`"),
        (("t1_map.nii",), "no file name contains a sequence: t1_map.nii (a map)",
         "`predict t1={0}/t1_map.nii`"),
        (("t1_mask.nii",), "masks by their names, not images: t1_mask.nii",
         "give the images"),
    ],
)  # fmt: skip
def test_names_that_leave_a_doubt(
    tmp_path: Path, names: tuple[str, ...], what: str, options: str
) -> None:
    files = [scan(tmp_path / name) for name in names]
    for inputs in (files, [tmp_path]):
        text = refusal(*inputs)
        assert what in text
        assert options.format(tmp_path) in text


def test_initials_in_all_names_are_no_contrast(tmp_path: Path) -> None:
    for name in ("CE_t1.nii", "CE_t2.nii", "CE_flair.nii"):
        scan(tmp_path / name)
    (case,) = find_studies([tmp_path])
    assert tuple(case.images) == ("t1", "t2", "flair")


def test_sequences_that_are_given(tmp_path: Path) -> None:
    folder = slices(tmp_path / "b", "2.png", "10.png", "1.png")
    (case,) = find_studies([], {"flair": scan(tmp_path / "P1_x.nii.gz"), "t1gd": folder})
    assert set(case.images) == {"flair", "t1ce"}
    assert case.id == "P1_x"
    assert [path.name for path in case.images["t1ce"].paths] == ["1.png", "2.png", "10.png"]


def test_what_can_not_be_given(tmp_path: Path) -> None:
    image = scan(tmp_path / "x.nii.gz")
    assert "did you mean 'flair'?" in refusal(fliar=image)
    assert "given twice (sequence=t1ce)" in refusal(t1ce=image, t1gd=image)
    assert "no such file or folder" in refusal(t1=tmp_path / "lost.nii.gz")
    (tmp_path / "empty").mkdir()
    assert "contains no image" in refusal(t1=tmp_path / "empty")
    assert "not both" in refusal(image, t1=image)


def test_nothing_to_work_on(tmp_path: Path) -> None:
    assert "no input" in refusal()
    assert "no such file or folder" in refusal(tmp_path / "lost")
    (tmp_path / "scan.dcm").touch()
    assert "not an image (name=scan.dcm, allowed .nii" in refusal(tmp_path / "scan.dcm")
    with pytest.raises(
        LayoutError, match=r"no volumes, pictures or DICOM .* brats: no folder with"
    ):
        find_studies([tmp_path])


def test_pictures_of_one_sequence(tmp_path: Path) -> None:
    folder = slices(tmp_path / "FLAIR", "s10.tif", "s9.tif", "s9_mask.tif")
    (case,) = find_studies([folder])
    assert [path.name for path in case.images["flair"].paths] == ["s9.tif", "s10.tif"]
    assert find_studies(list(folder.iterdir()))[0].images == case.images
    assert "neither the name of the picture nor that of its folder" in refusal(
        slices(tmp_path / "x", "1.png")
    )
    assert "only masks, no images" in refusal(slices(tmp_path / "t1", "1_mask.png"))


def test_folders_and_names_of_pictures(tmp_path: Path) -> None:
    slices(tmp_path / "p" / "T1", "1.png", "2.png")
    slices(tmp_path / "p" / "FLAIR", "1.png", "2.png")
    (case,) = find_studies([tmp_path / "p"])
    assert case.id == "p"
    assert {name: len(file.paths) for name, file in case.images.items()} == {"t1": 2, "flair": 2}
    slices(tmp_path / "p" / "FLAIR_old", "1.png")
    assert "two folders for flair: FLAIR and FLAIR_old" in refusal(tmp_path / "p")
    mixed = slices(tmp_path / "q", "t1_1.png", "t2_1.png", "t1_2.png", "t2_2.png")
    (case,) = find_studies([mixed])
    assert {name: len(file.paths) for name, file in case.images.items()} == {"t1": 2, "t2": 2}


def test_a_kaggle_folder_with_and_without_masks(tmp_path: Path) -> None:
    folder = kaggle(tmp_path)
    (case,) = find_studies([folder])
    assert case.source == "lgg_kaggle"
    assert case.label is not None
    for path in folder.glob("*_mask.tif"):
        path.unlink()
    (case,) = find_studies([folder])
    assert set(case.images) == {"t1", "t1ce", "flair"}
    assert case.label is None
    (case,) = find_studies([tmp_path])
    assert case.label is None


def test_a_case_folder_of_a_known_set(tmp_path: Path) -> None:
    scan(tmp_path / "LGG-104" / "LGG-104_T1.nii.gz")
    (case,) = find_studies([tmp_path / "LGG-104"])
    assert set(case.images) == {"t1ce"}
    (case,) = find_studies([brats(tmp_path, "BraTS2021_00000", 1)])
    assert (case.id, set(case.images)) == ("BraTS2021_00000", {"t1", "flair"})


def test_a_data_set(tmp_path: Path) -> None:
    for name in ("BraTS2021_00000", "BraTS2021_00002"):
        brats(tmp_path / "deep" / "er", name)
    assert len(find_studies([tmp_path])) == 2
    table = tmp_path / "t.csv"
    table.write_text("patient,t1\np,deep/er/BraTS2021_00000/BraTS2021_00000_t1.nii.gz\n")
    assert [case.id for case in find_studies([table])] == ["p"]


def test_a_folder_of_folders_with_one_that_is_bad(tmp_path: Path) -> None:
    scan(tmp_path / "ann" / "t1.nii.gz")
    scan(tmp_path / "bob" / "brain.nii.gz")
    kaggle(tmp_path, "TCGA_CS_4941_19960909")
    (tmp_path / "docs").mkdir()
    cases, problems = survey([tmp_path])
    assert {case.id for case in cases} == {"ann", "TCGA_CS_4941_19960909"}
    assert [problem.case for problem in problems] == ["bob"]
    with pytest.raises(CaseError, match=r"bob: .*no file name contains a sequence"):
        find_studies([tmp_path])


def test_several_folders_with_one_that_is_bad(tmp_path: Path) -> None:
    scan(tmp_path / "ann" / "t1.nii.gz")
    scan(tmp_path / "bob" / "brain.nii.gz")
    (case,), (problem,) = survey([tmp_path / "bob", tmp_path / "ann"])
    assert (case.id, problem.case) == ("ann", "bob")


def test_a_folder_of_plain_folders(tmp_path: Path) -> None:
    for name in ("ann", "bob"):
        scan(tmp_path / name / "t1.nii.gz")
        scan(tmp_path / name / "flair.nii.gz")
    assert [case.id for case in find_studies([tmp_path])] == ["ann", "bob"]
    both = find_studies([tmp_path / "ann", tmp_path / "ann"])
    assert [case.id for case in both] == ["ann", "ann-2"]


def test_a_described_set_is_not_searched_for_more(tmp_path: Path) -> None:
    scan(tmp_path / "imagesTr" / "A_0000.nii.gz")
    scan(tmp_path / "imagesTs" / "B_0000.nii.gz")
    labels = {"background": 0, "tumour": 1}
    description = {"channel_names": {"0": "T1"}, "labels": labels, "file_ending": ".nii.gz"}
    (tmp_path / "dataset.json").write_text(json.dumps(description))
    assert [case.id for case in find_studies([tmp_path])] == ["A"]


def test_the_phantoms_mark(tmp_path: Path) -> None:
    scan(tmp_path / "ann" / "t1.nii.gz")
    (tmp_path / "SYNTHETIC").touch()
    assert find_studies([tmp_path / "ann"])[0].synthetic


def test_a_file_that_is_stated_to_be_another_sequence_than_its_name_says_is_noted(
    tmp_path: Path,
) -> None:
    t2, flair = scan(tmp_path / "p1_t2.nii"), scan(tmp_path / "p1_x.nii")
    case = chosen_case({"t1": t2, "flair": flair})
    assert set(case.images) == {"t1", "flair"}
    assert case.notes == ("p1_t2.nii is used as t1, as stated, but its name says t2",)


def test_a_doubtful_file_beside_certain_ones_is_left_out(tmp_path: Path) -> None:
    for name in ("T1.nii", "FLAIR.nii", "FLAIR_xylo.nii"):
        scan(tmp_path / "p1" / name)
    (case,) = find_studies([tmp_path])
    assert {s: file.paths[0].name for s, file in case.images.items()} == {
        "t1": "T1.nii",
        "flair": "FLAIR.nii",
    }
    assert case.notes == (
        "FLAIR_xylo.nii is not used: the name contains 'xylo', which is not understood",
    )
    # It might be the post-contrast T1, which no other file is.
    scan(tmp_path / "p1" / "T1_yuzu.nii")
    assert "T1_yuzu.nii: the name contains 'yuzu'" in refusal(tmp_path / "p1")
