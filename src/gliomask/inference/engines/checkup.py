"""Check of the installed engines by running each of them, and of the default engine."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gliomask.errors import GliomaskError, option
from gliomask.inference.engines.choice import engine_statuses, open_engine
from gliomask.inference.engines.engine import usable_threads
from gliomask.inference.trial import (
    GPU_TOLERANCE,
    TOLERANCE,
    Proof,
    Trial,
    make_trial,
    too_far,
    trial_card,
    write_trial,
)
from gliomask.machine.checkup import Finding

_NETWORK: Final = "u2net-tiny"
_SIZE: Final = 64


@dataclass(frozen=True)
class Engines:
    """Inference engines of this machine.

    Attributes:
        proofs: of each engine there is, the fastest first.
        chosen: default engine; None if none works.
        why: reason for this choice, or for having none.
        problem: reason why the chosen one can't be trusted; empty if it can.
        threads: number of threads on the processor.
    """

    proofs: tuple[Proof, ...]
    chosen: str | None
    why: str
    problem: str
    threads: int


def check_engines() -> Engines:
    """Runs a small network with fixed weights through all of them."""
    with tempfile.TemporaryDirectory(prefix="gliomask-") as place:
        write_trial(Path(place), trial_card(_NETWORK, _SIZE))
        trial = make_trial(Path(place), 2, _SIZE)
        proofs = tuple(trial.prove(status) for status in engine_statuses())
        return _choose(trial, proofs)


def engine_findings(engines: Engines) -> tuple[Finding, ...]:
    """Findings on the engines; a missing engine is a problem only if no other one works.

    The error of an engine is the largest difference of its probabilities from the reference.
    """
    works = any(proof.works for proof in engines.proofs)
    rows = [_finding(proof, works) for proof in engines.proofs]
    chosen, why = engines.chosen or "none", engines.why
    if engines.chosen is None:
        return (*rows, Finding("engines", "to be used", "breaks", chosen, why))
    if engines.problem:
        return (*rows, Finding("engines", "to be used", "breaks", chosen, engines.problem))
    return (*rows, Finding("engines", "to be used", "ok", chosen, why))


def _choose(trial: Trial, proofs: tuple[Proof, ...]) -> Engines:
    threads = usable_threads()
    try:
        opened = open_engine(trial.folder)
        difference = trial.difference(opened.engine)
    except GliomaskError as problem:
        return Engines(proofs, None, str(problem), "", threads)
    on_gpu = "cuda" in opened.engine.name
    why = "torch can use a GPU" if on_gpu else "the fastest working engine"
    off = too_far(difference, GPU_TOLERANCE if on_gpu else TOLERANCE)
    wrong = f"{off}; take another, {option('engine', 'torch')}" if off else ""
    return Engines(proofs, opened.engine.name, opened.note or why, wrong, threads)


def _finding(proof: Proof, one_works: bool) -> Finding:
    if proof.works:
        remark = f"largest difference {proof.difference:.0e} (allowed {TOLERANCE:g})"
        return Finding("engines", proof.name, "ok", proof.version or "", remark)
    if proof.version is None:
        return Finding(
            "engines", proof.name, "ok" if one_works else "note", "absent", proof.problem
        )
    return Finding("engines", proof.name, "note", proof.version, proof.problem)
