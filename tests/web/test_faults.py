"""The programs that load, disturb and kill a running server, with small numbers."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from benchmarks.serve import kills, slow_clients
from benchmarks.tables import Report


def unexpected(report: Report) -> list[tuple[object, ...]]:
    """The rows whose result is not the expected one."""
    return [row for table in report.tables for row in table.rows if row[-1] != "yes"]


@pytest.mark.server
def test_kills_while_jobs_run_and_corrections_are_saved(tmp_path: Path) -> None:
    options = argparse.Namespace(kills=1, seconds=3.0, minutes=5.0)
    assert unexpected(kills.measure(options, tmp_path)) == []


@pytest.mark.slow
def test_slow_half_open_and_aborted_connections(tmp_path: Path) -> None:
    options = argparse.Namespace(half_open=300, sockets=500, readers=20, megabytes=4)
    assert unexpected(slow_clients.measure(options, tmp_path)) == []
