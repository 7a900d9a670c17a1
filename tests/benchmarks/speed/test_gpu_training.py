"""The benchmark that needs a GPU, run as a toy, so that it does run where there is one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_training_on_a_gpu_as_a_toy(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks.speed.gpu_training", "--device", "cpu", "--tiny"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, "--out", str(out)],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert json.loads(out.read_text()) == found
    (training,) = found["training"]
    # 12 slices in each of 100 epochs, and what it takes to judge them.
    assert training["slices_per_s"] * training["100_epochs_s"] == pytest.approx(12 * 100)
    assert training["share_of_matrix_ceiling"] > 0
    assert found["inference"]["slices"] == 5
