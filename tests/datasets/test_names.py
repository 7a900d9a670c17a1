"""What names tell, for the spellings that are about."""

from __future__ import annotations

from gliomask.datasets.names import is_mask


def test_masks() -> None:
    masks = ("x_seg", "LGG-104-Segmentation", "a_mask", "brainmask", "label", "labels", "t1_roi",
             "T_GlistrBoost_ManuallyCorrected", "sub-1_label-tumor_mask", "x_dseg")  # fmt: skip
    assert all(is_mask(name) for name in masks)
    assert not any(is_mask(name) for name in ("x_t1", "flair", "Massachusetts", "unmasked_t1"))
