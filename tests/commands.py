"""The command line as a person runs it, in this process."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gliomask.cli import main as cli


def run(monkeypatch: pytest.MonkeyPatch, *words: str | Path) -> int:
    """Runs ``gliomask`` with these words; gives its exit code."""
    monkeypatch.setattr(sys, "argv", ["gliomask", *map(str, words)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert isinstance(stop.value.code, int)
    return stop.value.code
