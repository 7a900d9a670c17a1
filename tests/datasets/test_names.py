"""What names tell, for the spellings that are about."""

from __future__ import annotations

from gliomask.datasets.names import is_mask


def test_masks() -> None:
    masks = ("x_seg", "LGG-104-Segmentation", "a_mask", "brainmask", "label", "labels", "t1_roi",
             "T_GlistrBoost_ManuallyCorrected", "sub-1_label-tumor_mask", "x_dseg",
             "rtumorseg_manual_correction", "P1_tumorMask_model_0", "flair_seg_label1", "1_t0_gtv",
             "P1_t1gd_annotation-Tumor", "t1_mprage_12_ROI1")  # fmt: skip
    assert all(is_mask(name) for name in masks)
    assert not any(is_mask(name) for name in ("x_t1", "flair", "Massachusetts", "unmasked_t1"))
