"""The benchmarks that need a machine we may not have run as toys, so that they do run there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


def run(script: str, *arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(BENCHMARKS / script), *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_training_on_a_gpu_as_a_toy(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    found = run("gpu_training.py", "--device", "cpu", "--tiny", "--out", str(out))
    assert json.loads(out.read_text()) == found
    (training,) = found["training"]
    # 12 slices in each of 100 epochs, and what it takes to judge them.
    assert training["slices_per_s"] * training["100_epochs_s"] == pytest.approx(12 * 100)
    assert training["share_of_matrix_ceiling"] > 0
    assert found["inference"]["slices"] == 5


@pytest.mark.slow
def test_training_on_a_processor() -> None:
    arguments = ("--network", "u2net-tiny", "--size", "32", "--steps", "2", "--rounds", "2")
    found = run("training_speed.py", *arguments, "--json")
    assert len(found["step_cpu_s"]["ours"]) == 4
    assert found["slices_per_cpu_s"]["ours"] > 1
