"""The folder in which masks are judged: what it holds, and when one may be replaced."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gliomask.core.atomic import atomic_folder, write_text
from gliomask.errors import BatchError, InputError
from gliomask.evaluation.scores import CaseScore
from gliomask.evaluation.summary import EvaluationSummary, summary_keys
from gliomask.evaluation.tables import metrics_csv

METRICS, SUMMARY, PROVENANCE, FIGURES = "metrics.csv", "summary.json", "provenance.json", "figures"

Failure = tuple[str, str]
"""(case, reason)."""


@dataclass(frozen=True)
class Judgement:
    """All that goes into the folder besides the figures.

    Attributes:
        scores: a row for each case and region.
        summary: of them.
        about: what was judged and how; goes into ``summary.json``.
        provenance: goes into ``provenance.json``.
    """

    scores: Sequence[CaseScore]
    summary: EvaluationSummary
    about: Mapping[str, object] = field(default_factory=dict)
    provenance: Mapping[str, object] = field(default_factory=dict)


def check_target(out: Path) -> None:
    """Refuses to replace anything but an earlier evaluation.

    Raises:
        InputError: ``out`` is a file, or a folder that holds something else.
    """
    if out.exists() and not out.is_dir():
        raise InputError("not a folder", path=out)
    held = {entry.name for entry in out.iterdir()} if out.is_dir() else set()
    foreign = held - {METRICS, SUMMARY, PROVENANCE, FIGURES}
    if foreign or (held and SUMMARY not in held):
        raise InputError(
            "the folder holds something that is not an evaluation",
            path=out,
            field="entry",
            found=min(foreign or held),
            hint="give a new folder",
        )


def _nothing(_folder: Path) -> None:
    """Draws no figures."""


def write_judgement(
    out: Path, judgement: Judgement, draw: Callable[[Path], None] = _nothing
) -> None:
    """Writes the folder, whole or not at all; an earlier evaluation in it is replaced.

    Args:
        out: the folder.
        judgement: its tables.
        draw: is given the folder for figures, which it makes if it draws any.
    """
    with atomic_folder(out) as folder:
        write_text(folder / METRICS, metrics_csv(judgement.scores))
        _write_json(folder / SUMMARY, {**summary_keys(judgement.summary), **judgement.about})
        _write_json(folder / PROVENANCE, judgement.provenance)
        draw(folder / FIGURES)


def as_keys(failures: Sequence[Failure]) -> list[dict[str, str]]:
    """Failures as they stand in ``summary.json``."""
    return [{"case": case, "reason": reason} for case, reason in failures]


def raise_failures(failures: Sequence[Failure], done: int, out: Path) -> None:
    """Ends a batch.

    Raises:
        BatchError: there are failures; the others are in ``out``.
    """
    if failures:
        raise BatchError(f"{len(failures)} failed, {done} done; see {out}", failures)


def _write_json(path: Path, keys: Mapping[str, object]) -> None:
    write_text(path, json.dumps(keys, indent=1, allow_nan=False) + "\n")
