"""Synthetic headers of the comparison with dcm-classifier: gliomask recognises all of them."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.series import SYNTHETIC, ours, synthetic, table


def test_every_synthetic_series_is_recognised(tmp_path: Path) -> None:
    synthetic(tmp_path)
    results = [(row["name"], row["result"]) for row in ours([tmp_path])]
    assert results == [(name, result) for result, name, _ in SYNTHETIC]


def test_series_that_look_alike_are_one_row() -> None:
    row = {"maker": "A", "name": "AX T1", "timing": [500.0, 10.0, None], "result": "t1"}
    own = [{**row, "uid": "1"}, {**row, "uid": "2"}, {**row, "uid": "3"}]
    text = table(own, [{"uid": "1", "result": "t1w"}, {"uid": "2", "result": "t1w"}])
    assert "| A | AX T1 | 500 / 10 /  | 2 | t1 | t1w |" in text
    assert "| A | AX T1 | 500 / 10 /  | 1 | t1 | unread |" in text
