"""Labels by their names: parts of a tumour, other structures, names that are not clear."""

from __future__ import annotations

import pytest

from gliomask.core.labels import BACKGROUND, CAVITY, CORE, ENHANCING, NECROSIS, OEDEMA, TUMOUR
from gliomask.datasets.mask_labels.names import (
    label_of,
    part_in_file_name,
    scheme_of_labels,
    scheme_of_output,
    scheme_of_regions,
)

NAMES = {
    "edema": OEDEMA, "peritumoral edematous tissue": OEDEMA, "SNFH": OEDEMA, "ED": OEDEMA,
    "surrounding non-enhancing FLAIR hyperintensity": OEDEMA, "brain edema": OEDEMA,
    "necrotic and non-enhancing tumor core": NECROSIS, "NCR": NECROSIS, "NETC": NECROSIS,
    "non-enhancing tumor": NECROSIS, "nonenhancing": NECROSIS, "not enhancing tumour": NECROSIS,
    "cystic component": NECROSIS, "necrotic brain tumor core": NECROSIS,
    "enhancing tumour": ENHANCING, "GD-enhancing tumor": ENHANCING, "ET": ENHANCING,
    "enhancing brain tumor": ENHANCING,
    "resection cavity": CAVITY, "RC": CAVITY, "cavity": CAVITY,
    "whole tumor": TUMOUR, "lesion": TUMOUR, "glioma": TUMOUR, "brain tumor": TUMOUR,
    "GTV": TUMOUR, "Meningioma": TUMOUR,
    "tumor core": CORE, "core": CORE, "TC": CORE,
    "brain": BACKGROUND, "whole brain": BACKGROUND, "healthy brain": BACKGROUND,
    "no tumor": BACKGROUND, "non-tumour": BACKGROUND, "tumor-free brain": BACKGROUND,
    "normal tissue": BACKGROUND, "skull": BACKGROUND, "ventricles": BACKGROUND, "CSF": BACKGROUND,
    "white matter": BACKGROUND, "normal appearing white matter": BACKGROUND, "others": BACKGROUND,
    "class 1": None, "label_2": None, "structure": None, "": None, "normal": None,
    "no necrosis": None, "enhancing vessel": None, "tumor in ventricle": None,
}  # fmt: skip


@pytest.mark.parametrize(("name", "label"), NAMES.items())
def test_label_of(name: str, label: int | None) -> None:
    assert label_of(name) == label


def test_labels() -> None:
    scheme = scheme_of_labels({"background": 0, "edema": 1, "skull": 7, "RC": 9, "ET": 4})
    assert scheme is not None
    assert dict(scheme.values) == {1: OEDEMA, 4: ENHANCING, 7: BACKGROUND, 9: CAVITY}
    assert scheme.regions == ("whole", "enhancing")  # a core may have necrosis, which has no name
    undivided = scheme_of_labels({"tumor": 1, "edema": 2})
    assert undivided is not None
    assert undivided.regions == ("whole",)


@pytest.mark.parametrize(
    "labels",
    [{"x": 1, "tumor": 2}, {"brain": 1, "skull": 2}, {"resection cavity": 1}, {"background": 0}],
)
def test_no_scheme_where_a_name_is_unclear_or_none_is_a_tumour(labels: dict[str, int]) -> None:
    assert scheme_of_labels(labels) is None


@pytest.mark.parametrize(
    ("regions", "values"),
    [
        (
            {"whole tumor": [1, 2, 3], "tumor core": [2, 3], "enhancing tumor": [3],
             "resection cavity": [4]},
            {1: OEDEMA, 2: NECROSIS, 3: ENHANCING, 4: CAVITY},
        ),
        ({"WT": [1, 2, 4], "TC": [1, 4], "ET": [4]}, {1: NECROSIS, 2: OEDEMA, 4: ENHANCING}),
        ({"ET": [1], "WT": [1, 2, 3, 4], "TC": [1, 2, 3]},
         {1: ENHANCING, 2: NECROSIS, 3: NECROSIS, 4: OEDEMA}),
        ({"whole tumor": [1, 2], "tumor core": [2]}, {1: OEDEMA, 2: CORE}),
        ({"whole tumor": [1, 2], "enhancing tumor": [2]}, {1: TUMOUR, 2: ENHANCING}),
        ({"whole tumor": [2, 3], "brain": [1]}, {1: BACKGROUND, 2: TUMOUR, 3: TUMOUR}),
    ],
)  # fmt: skip
def test_regions(regions: dict[str, list[int]], values: dict[int, int]) -> None:
    scheme = scheme_of_regions(regions)
    assert scheme is not None
    assert dict(scheme.values) == values


@pytest.mark.parametrize(
    "regions",
    [
        {"whole tumor": [1, 2], "tumor core": [2, 3], "enhancing tumor": [3]},  # not nested
        {"whole tumor": [1, 2, 3, 4], "resection cavity": [4]},  # a cavity within the tumour
        {"whole tumor": [1, 2], "something": [3]},
        {"tumor core": [1, 2]},
    ],
)
def test_regions_that_make_no_sense(regions: dict[str, list[int]]) -> None:
    assert scheme_of_regions(regions) is None


WT_TC_ET = {"whole tumor": [1, 2, 3], "tumor core": [1, 3], "enhancing tumor": [3]}


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ([1, 2, 3], {1: OEDEMA, 2: NECROSIS, 3: ENHANCING}),
        ([2, 1, 3], {2: OEDEMA, 1: NECROSIS, 3: ENHANCING}),
        ([2, 1, 4], {2: OEDEMA, 1: NECROSIS, 4: ENHANCING}),
    ],
)
def test_what_nnunet_writes_of_regions_goes_by_their_order(
    order: list[int], values: dict[int, int]
) -> None:
    """Trained on BraTS 2023 (1 necrosis), it writes what ``regions_class_order`` says."""
    scheme = scheme_of_output(WT_TC_ET, order)
    assert scheme is not None
    assert dict(scheme.values) == values


def test_output_in_which_the_whole_tumour_hides_its_parts() -> None:
    """The last region wins: here the whole tumour covers all."""
    regions = {"enhancing tumor": [3], "tumor core": [1, 3], "whole tumor": [1, 2, 3]}
    scheme = scheme_of_output(regions, [3, 2, 1])
    assert scheme is not None
    assert dict(scheme.values) == {1: TUMOUR}


PARTS = {
    "necrosis.nii.gz": NECROSIS, "P1_Nekrose.nii": NECROSIS, "non_enhancing_tumor.nii": NECROSIS,
    "P1_Ödem.nii.gz": OEDEMA, "oedème_P2.nrrd": OEDEMA, "ED_mask.nii.gz": OEDEMA,
    "P1_ET.nii.gz": ENHANCING, "enhancing_mask.png": ENHANCING,
    "tumour_core.nii.gz": CORE, "P1_TC.nii": CORE,
    "resection_cavity.nii.gz": CAVITY, "P1_Kavität.nii.gz": CAVITY,
    "P1_brain_mask.nii.gz": BACKGROUND, "sub-1_brainmask.nii.gz": BACKGROUND,
    "P1_t1c_bet_mask.nii.gz": BACKGROUND, "P1_t1c_defacing_mask.nii.gz": BACKGROUND,
    "brainMask_SRI.nii.gz": BACKGROUND, "P1_hdbet_brats_mask.nii.gz": BACKGROUND,
    "aparc+aseg.mgz": BACKGROUND, "P1_ptv.nii.gz": BACKGROUND,
    "ventricles.nii.gz": BACKGROUND, "wm_seg.nii.gz": BACKGROUND, "not_tumor.nii": BACKGROUND,
}  # fmt: skip
NO_PARTS = (
    "case_seg.nii.gz", "mask.nii.gz", "1.png", "lesion.nii.gz", "WT.nii.gz", "P1_gtv.nii.gz",
    "brain_tumor_mask.nii.gz", "brainTumorMask_SRI.nii.gz", "P1_bet_seg.nii.gz",
    "brain_001_seg.nii.gz", "ET_001_seg.nii.gz", "CC_001_mask.nii.gz",
    "post_resection_seg.nii.gz", "flair_hyperintensity_seg.nii.gz", "skull_stripped_seg.nii.gz",
    "TCGA_CS_4941_19960909_10_mask.tif", "prediction_1.nii.gz", "Tumeur_P1.nii.gz",
)  # fmt: skip


@pytest.mark.parametrize("name", PARTS)
def test_a_file_name_that_states_a_part(name: str) -> None:
    assert part_in_file_name(name) == PARTS[name]


@pytest.mark.parametrize("name", NO_PARTS)
def test_a_file_name_that_states_the_tumour_or_nothing(name: str) -> None:
    assert part_in_file_name(name) is None
