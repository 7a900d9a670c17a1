"""Progress where there is no terminal: a line every few seconds, in numbers that people read."""

from __future__ import annotations

import pytest

from gliomask.cli import render


@pytest.mark.parametrize(
    ("steps", "shown"),
    [
        ([1464], "training: 1464 of 6480"),
        ([0.173], "training: 0.17 of 6480"),
        ([2], "training: 2 of 6480"),
        ([12.4], "training: 12 of 6480"),
        ([0.5, 0.5], "training: 1 of 6480"),
    ],
)
def test_steps_are_written_as_people_count(
    steps: list[float],
    shown: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(render, "_EVERY_S", -1.0)
    lines = render._Lines()
    lines.start(6480, "training")
    for step in steps:
        lines.advance(step)
    assert capsys.readouterr().err.splitlines()[-1] == shown
