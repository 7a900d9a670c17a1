"""Names that someone else chose are text in charts, never mathematics."""

from __future__ import annotations

import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from gliomask.report.evaluation import charts
from gliomask.statistics.comparison import compare
from gliomask.statistics.strata import Stratum
from gliomask.statistics.summary import summarise

NAMES = ("$TR_^{}$ long", "run_$a^^$", "$x$")


def labels_of(figure: Figure) -> list[str]:
    """The labels of the rows, after drawing."""
    figure.canvas.draw()
    return [label.get_text() for label in figure.axes[0].get_yticklabels()]


@pytest.mark.parametrize("name", NAMES)
def test_groups(name: str) -> None:
    stratum = Stratum(name, (), summarise([0.5, 0.7]))
    assert any(name in label for label in labels_of(charts.forest([("grade", [stratum])], "Dice")))


@pytest.mark.parametrize("name", NAMES)
def test_sets(name: str) -> None:
    sets = {name: {"dice": {"p1": 0.5, "p2": 0.6}}, "other": {"dice": {"p1": 0.4, "p2": 0.7}}}
    paired = compare(sets).differences
    assert labels_of(charts.differences(paired, "Dice")) == [f"{name} − other"]
