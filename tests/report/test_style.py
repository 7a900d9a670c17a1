"""The look of figures, and how they are written."""

from __future__ import annotations

from pathlib import Path

import pytest

from gliomask.report import colours, style


def draw(stem: Path) -> list[Path]:
    figure = style.new_figure(2, 2)
    axes = figure.add_subplot()
    axes.plot([0, 1], [1, 0])
    style.tidy(axes, "Title", "x", "y")
    style.foot(figure, "a cohort", [("both", colours.GREEN)])
    return style.save(figure, stem, ("png", "svg"))


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    first = [path.read_bytes() for path in draw(tmp_path / "a.b")]
    again = draw(tmp_path / "a.b")
    assert [path.name for path in again] == ["a.b.png", "a.b.svg"]
    assert first == [path.read_bytes() for path in again]


def test_a_failure_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not supported"):
        style.save(style.new_figure(1, 1), tmp_path / "a", ("nonsense",))
    assert not list(tmp_path.iterdir())


def test_every_figure_says_what_it_is_for(tmp_path: Path) -> None:
    figure = style.new_figure(4, 2)
    style.foot(figure, "a long note " * 20)
    (foot,) = figure.texts
    assert "\n" in foot.get_text()
    assert foot.get_text().endswith("For research use only")
