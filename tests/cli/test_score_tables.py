"""Tables of ``score`` and ``evaluate`` in the terminal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gliomask.cli import render
from gliomask.config.score import ScoreOptions
from gliomask.formats.nifti import write_nifti
from gliomask.workflows.score import score


def test_scores_besides_dice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cube of 4 x 4 x 4 voxels of 1 mm, and the same one voxel further on. Of the 8 slices, 4
    have no tumour, and 1 of these has a false positive."""
    monkeypatch.setenv("COLUMNS", "100")
    reference = np.zeros((8, 8, 8), np.uint8)
    reference[2:6, 2:6, 2:6] = 1
    for name, array in (("ref", reference), ("pred", np.roll(reference, 1, axis=2))):
        write_nifti(tmp_path / name / "p1.nii.gz", array, np.eye(4))
    options = ScoreOptions(
        references=tmp_path / "ref",
        predictions=tmp_path / "pred",
        out=tmp_path / "out",
        report=False,
    )
    render.scores("pred", score(options).summary)
    printed = [line.strip("│ ").split("│") for line in capsys.readouterr().out.splitlines()]
    cells = {row[0].strip(): row[1].strip() for row in printed if len(row) > 1}
    assert cells["HD95, mm"] == "1.00 (1.00)"
    assert cells["surface Dice at 2 mm"] == "1.000 (1.000)"
    assert cells["lesion-wise Dice"] == "0.750 (0.750)"
    assert cells["tumour-free slices with false positives"] == "25.0 % of 4"
    assert not any("px" in name for name in cells)
