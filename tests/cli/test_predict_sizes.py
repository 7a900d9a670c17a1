"""Sizes of regions in the terminal output of ``predict``."""

from __future__ import annotations

from typing import Any

from gliomask.cli.predict import _size
from gliomask.core.prediction import VolumeInterval
from gliomask.formats.case_record import CaseRecord

CALIBRATED = VolumeInterval((400.0, 600.0), (0.8, 1.2), 0.9, 15, calibrated=True)
RAW = VolumeInterval((10.0, 90.0), (0.02, 0.18), None, 0, calibrated=False)


def record(volumes_ml: dict[str, float] | None, **intervals: VolumeInterval) -> CaseRecord:
    keys: dict[str, Any] = {"volumes_ml": volumes_ml, "intervals": intervals}
    return CaseRecord.model_construct(**keys, voxels={"whole": 500, "core": 50})


def test_a_region_without_a_calibrated_interval_says_so() -> None:
    volumes = {"whole": 1.0, "core": 0.1}
    case = record(volumes, whole=CALIBRATED, core=RAW)
    assert _size(case) == "whole 1.0 ml (0.8 to 1.2), core 0.1 ml (no 90 % interval)"
    assert _size(record(volumes)) == "whole 1.0 ml, core 0.1 ml"  # with --quick


def test_pictures_have_intervals_in_voxels() -> None:
    pixels = VolumeInterval((400.0, 600.0), None, 0.9, 15, calibrated=True)
    case = record(None, whole=pixels, core=RAW)
    assert _size(case) == "whole 500 voxels (400 to 600), core 50 voxels (no 90 % interval)"


def test_an_empty_mask() -> None:
    assert _size(record({}).model_copy(update={"voxels": {"whole": 0}})) == "no tumour found"
