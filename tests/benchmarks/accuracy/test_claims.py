"""Coverage and flags of rows that are written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.accuracy.claims import Row, flag_table, interval_table, read, write
from gliomask.core.reliability import Level

ROW = Row(
    case="c",
    patient="p",
    skull_stripped=True,
    sequences="t1 flair",
    region="whole",
    dice=0.9,
    true=110,
    predicted=100,
    spread=10.0,
    disagreement=0.1,
    low=95.0,
    high=120.0,
    calibrated=True,
    flag="green",
    other="green",
    removed=False,
)


def rows(*errors: int) -> list[Row]:
    """A patient for each, whose volume lies so many spreads away."""
    return [replace(ROW, patient=str(k), true=100 + 10 * e) for k, e in enumerate(errors)]


def flagged(number: int, dice: float, apart: float, other: Level = "green") -> Row:
    return replace(ROW, patient=str(number), dice=dice, disagreement=apart, other=other)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    bare = replace(ROW, dice=None, true=None, low=None, high=None, calibrated=False)
    write(tmp_path / "cases.csv", [ROW, bare])
    assert read(tmp_path / "cases.csv") == [ROW, bare]
    assert read(tmp_path / "none.csv") == []


def test_coverage_by_hand() -> None:
    """Without one of ten patients the interval reaches as far as the other nine need.

    The one with error 9 lies outside, the others within; the card's interval ends at 2 spreads.
    """
    ((name, region, count, card, left_out, width),) = interval_table(rows(*range(10))).rows
    assert (name, region, count) == ("skull-stripped, t1 flair", "whole", 10)
    assert card == "3 of 10"  # 100, 110 and 120
    assert left_out == "9 of 10"
    assert width == "90 %"


def test_too_few_patients_have_no_interval_of_the_others() -> None:
    ((*_, left_out, width),) = interval_table(rows(*range(9))).rows
    assert (left_out, width) == (None, None)


def test_intervals_that_were_not_calibrated_do_not_count() -> None:
    some = [replace(row, calibrated=False) for row in rows(*range(10))]
    ((_, _, _, card, *_),) = interval_table(some).rows
    assert card is None


def test_flags_by_hand() -> None:
    """Of nineteen other good masks one may lie above the limit: 0.19 and 0.20 are flagged."""
    good = [flagged(k, 0.9, 0.01 * k) for k in range(1, 21)]
    good[0] = flagged(1, 0.9, 0.01, other="amber")
    poor = [flagged(30, 0.5, 0.5), flagged(31, 0.6, 0.1)]
    shown = {(images, by): cells for images, by, *cells in flag_table([*good, *poor]).rows}
    assert shown["skull-stripped", "card"][:2] == ["0 of 2", "0 of 20"]
    assert shown["all", "one left out"] == ["1 of 2", "3 of 20", "c (0.60)"]
    assert shown["whole heads", "card"] == [None, None, None]
