"""The made-up headers of the comparison with dcm-classifier: ours is as the documentation says."""

from __future__ import annotations

from pathlib import Path

from benchmarks.peers.series import MADE, made, ours, table


def test_every_made_up_series_is_what_it_was_made_as(tmp_path: Path) -> None:
    made(tmp_path)
    rows = ours([tmp_path])
    assert [(row["name"], row["said"]) for row in rows] == [(name, what) for what, name, _ in MADE]


def test_series_that_look_alike_are_one_row() -> None:
    one = {"maker": "A", "name": "AX T1", "timing": [500.0, 10.0, None], "said": "t1"}
    own = [{**one, "uid": "1"}, {**one, "uid": "2"}, {**one, "uid": "3"}]
    text = table(own, [{"uid": "1", "said": "t1w"}, {"uid": "2", "said": "t1w"}])
    assert "| A | AX T1 | 500 / 10 /  | 2 | t1 | t1w |" in text
    assert "| A | AX T1 | 500 / 10 /  | 1 | t1 | unread |" in text
