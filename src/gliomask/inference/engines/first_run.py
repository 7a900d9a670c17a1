"""Test of the engines in an installation without PyTorch, the reference of comparisons."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np

from gliomask.errors import GliomaskError
from gliomask.inference.engines.choice import EngineStatus, engine_statuses, open_engine
from gliomask.machine.checkup import Finding

_NOT_COMPARED: Final = "runs; not compared with PyTorch, which is not installed"
_SIDE: Final = 64


def run_engines(model: Path) -> tuple[Finding, ...]:
    """Runs a model through each engine; something would break if none works.

    Args:
        model: its folder.
    """
    statuses = [status for status in engine_statuses() if status.name != "torch"]
    rows = tuple(_run(model, status) for status in statuses)
    works = [row for row in rows if row.remark == _NOT_COMPARED]
    if not works:
        return (*rows, Finding("engines", "to be used", "breaks", "none", "no engine works"))
    return (*rows, Finding("engines", "to be used", "ok", works[0].name, "the fastest that works"))


def _run(model: Path, status: EngineStatus) -> Finding:
    if status.version is None:
        return Finding("engines", status.name, "ok", "absent", status.problem)
    problem = status.problem or _problem(model, status)
    if problem:
        return Finding("engines", status.name, "note", status.version, problem)
    return Finding("engines", status.name, "ok", status.version, _NOT_COMPARED)


def _problem(model: Path, status: EngineStatus) -> str:
    """Reason why an engine returns no result; empty if it does."""
    try:
        opened = open_engine(model, status.name, "cpu", threads=1)
        shape = 1, opened.card.in_channels, _SIDE, _SIDE
        ramp = np.linspace(-2, 2, int(np.prod(shape)), dtype=np.float32).reshape(shape)
        answer = opened.engine.logits(ramp)
    except GliomaskError as problem:
        return str(problem)
    if not np.isfinite(answer).all():
        return "its output contains NaN or infinity"
    return "" if np.ptp(answer) > 0 else "its output is the same for every pixel"
