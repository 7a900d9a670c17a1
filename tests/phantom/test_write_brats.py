from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.formats.nifti import read_nifti, read_nifti_labels
from gliomask.phantom.layout import SyntheticPatient
from gliomask.phantom.write_brats import WRITERS
from tests.phantom.made import patient


def written(layout: str, folder: Path, one: SyntheticPatient | None = None) -> list[str]:
    WRITERS[layout].patient(folder, one or patient())
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


UPENN = ("FLAIR", "T1", "T1GD", "T2")
PLAIN = "flair seg t1 t1ce t2"


@pytest.mark.parametrize(
    ("layout", "stem", "kinds", "ending"),
    [
        ("brats", "BraTS2021_90001/BraTS2021_90001_", PLAIN, ".nii.gz"),
        (
            "brats2018",
            "HGG/Brats18_PHANTOM_001_1/Brats18_PHANTOM_001_1_",
            "flair seg t1 t1ce t2",
            ".nii.gz",
        ),
        ("brats2020", "BraTS20_Training_901/BraTS20_Training_901_", "flair seg t1 t1ce t2", ".nii"),
        ("brats2023", "BraTS-GLI-90001-000/BraTS-GLI-90001-000-", "seg t1c t1n t2f t2w", ".nii.gz"),
        ("brats2024", "BraTS-GLI-92001-100/BraTS-GLI-92001-100-", "seg t1c t1n t2f t2w", ".nii.gz"),
        ("brats2017", "Brats17_PHANTOM_001_1/Brats17_PHANTOM_001_1_", PLAIN, ".nii.gz"),
        ("brats_ssa", "BraTS-SSA-94001-000/BraTS-SSA-94001-000-", "seg t1c t1n t2f t2w", ".nii.gz"),
        (
            "ucsf_pdgm",
            "UCSF-PDGM-9001_nifti/UCSF-PDGM-9001_",
            "FLAIR FLAIR_bias T1 T1_bias T1c T1c_bias T2 T2_bias brain_segmentation "
            "tumor_segmentation",
            ".nii.gz",
        ),
        (
            "tcga_lgg",
            "TCGA-PH-0001/TCGA-PH-0001_2000.01.01_",
            "GlistrBoost GlistrBoost_ManuallyCorrected flair t1 t1Gd t2",
            ".nii.gz",
        ),
    ],
)
def test_names(layout: str, stem: str, kinds: str, ending: str, tmp_path: Path) -> None:
    assert written(layout, tmp_path) == sorted(f"{stem}{kind}{ending}" for kind in kinds.split())


def test_a_tumour_that_does_not_enhance_is_low_grade(tmp_path: Path) -> None:
    one = patient()
    calm = SyntheticPatient(2, one.volume, np.where(one.labels == 3, 1, one.labels))
    assert written("brats2018", tmp_path, calm)[0].startswith("LGG/Brats18_PHANTOM_002_1/")


@pytest.mark.parametrize(("layout", "enhancing"), [("brats", 4), ("brats2023", 3)])
def test_label_numbers_axes_and_origin(layout: str, enhancing: int, tmp_path: Path) -> None:
    paths = {p.name: p for name in written(layout, tmp_path) for p in [tmp_path / name]}
    mask = next(path for name, path in paths.items() if "seg" in name)
    labels, affine = read_nifti_labels(mask)
    assert affine.tolist() == [[-2, 0, 0, 0], [0, -2, 0, 8], [0, 0, 5, 0], [0, 0, 0, 1]]
    assert np.unique(labels).tolist() == [0, 1, 2, enhancing]
    assert labels[3 - 2, 4 - 3, 3] == enhancing  # x and y run the other way
    image, _ = read_nifti(
        next(path for name, path in paths.items() if "flair" in name or "t2f" in name)
    )
    assert image[3, 0, 5] == 999
    assert image[0, 0, 0] == 400


def test_the_sequences_go_to_their_own_files(tmp_path: Path) -> None:
    names = written("tcga_lgg", tmp_path)
    values = {n.rsplit("_", 1)[1]: read_nifti(tmp_path / n)[0][0, 0, 0] for n in names}
    assert values["t1.nii.gz"] == 100
    assert values["t1Gd.nii.gz"] == 200
    assert values["t2.nii.gz"] == 300
    assert values["flair.nii.gz"] == 400


def test_the_automatic_mask_is_not_the_manual_one(tmp_path: Path) -> None:
    stem = "TCGA-PH-0001/TCGA-PH-0001_2000.01.01_GlistrBoost"
    written("tcga_lgg", tmp_path)
    automatic, _ = read_nifti_labels(tmp_path / f"{stem}.nii.gz")
    manual, _ = read_nifti_labels(tmp_path / f"{stem}_ManuallyCorrected.nii.gz")
    assert np.unique(manual).tolist() == [0, 1, 2, 4]
    assert (automatic[manual > 0] == manual[manual > 0]).all()
    assert (automatic > 0).sum() > (manual > 0).sum()


def test_some_patients_have_only_the_automatic_mask(tmp_path: Path) -> None:
    twentieth = patient(20)
    assert not any("Manually" in name for name in written("tcga_lgg", tmp_path, twentieth))


def test_upenn_keeps_its_masks_apart(tmp_path: Path) -> None:
    one = "UPENN-GBM-90001_11"
    images = [f"images_structural/{one}/{one}_{kind}.nii.gz" for kind in UPENN]
    automatic = f"automated_segm/{one}_automated_approx_segm.nii.gz"
    assert written("upenn_gbm", tmp_path / "1") == [automatic, *images]
    second = written("upenn_gbm", tmp_path / "2", patient(2))
    assert "images_segm/UPENN-GBM-90002_11_segm.nii.gz" in second
    assert "automated_segm/UPENN-GBM-90002_11_automated_approx_segm.nii.gz" in second
