"""The cost of all outputs: ratios within rounds, by hand, and the commands that are run."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.harness import Timing
from benchmarks.processes import Ran
from benchmarks.speed import outputs


def of(*seconds: float) -> list[Timing]:
    return [Timing(wall_s=9.0, cpu_s=s) for s in seconds]


def test_ratios_are_taken_within_a_round() -> None:
    """The second round is twice as slow for everybody."""
    timings = {
        ("new", "mask"): of(5.5, 11.0, 6.0),
        ("new", "all"): of(6.6, 13.2, 9.0),
        ("old", "mask"): of(5.0, 10.0, 4.0),
        ("old", "all"): of(10.0, 20.0, 8.0),
    }
    assert outputs.rows(Path("case"), ("new", "old"), timings) == [
        ("case", "new", 6.0, 9.0, "1.20 (1.20 to 1.50)", "1.10 (1.10 to 1.50)"),
        ("case", "old", 5.0, 10.0, "2.00 (2.00 to 2.00)", "1.00 (1.00 to 1.00)"),
    ]


def test_all_are_run_in_turns(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    ran: list[list[str]] = []

    def run_fresh(words: list[str]) -> Ran:
        ran.append(words)
        return Ran(Timing(2.0, 1.0 if "--quick" in words else 1.25), 0.0, 0.0, "")

    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.setenv(name, "1")  # put back afterwards
    monkeypatch.setattr(outputs, "run_fresh", run_fresh)
    report = outputs.run(outputs.parse([str(tmp_path), "--model", "m", "--rounds", "2"]), tmp_path)
    assert [words[words.index("--model") + 1] for words in ran] == ["m"] * 4
    assert ["--quick" in words for words in ran] == [True, False, False, True]
    (table,) = report.tables
    assert table.rows[0][2:5] == (1.0, 1.25, "1.25 (1.25 to 1.25)")
