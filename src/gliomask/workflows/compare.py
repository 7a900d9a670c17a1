"""``compare``: paired comparison of several evaluations of the same patients.

The evaluations may be of models or of masks of other tools. Each pair is compared with a confidence
interval and a permutation test, corrected for multiple comparisons.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isclose, isfinite, nan
from pathlib import Path

from gliomask.config.compare import CompareOptions as CompareOptions
from gliomask.core.atomic import atomic_folder, write_text
from gliomask.core.csv_table import csv_text
from gliomask.core.output_folder import check_replaceable
from gliomask.core.prediction import RESEARCH_USE_ONLY
from gliomask.errors import ConfigError, FormatError, InputError, nearest
from gliomask.formats.table import read_table
from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.metric import METRICS
from gliomask.metrics.policy import POLICY, Score
from gliomask.provenance.record import provenance
from gliomask.provenance.run_files import PROVENANCE
from gliomask.report.evaluation.comparison import COLUMNS, comparison_page, comparison_rows
from gliomask.report.latex import LatexTable, latex_table
from gliomask.results.evaluation import METRICS as TABLE
from gliomask.results.evaluation import REPORT
from gliomask.statistics.comparison import Best, Comparison, Scores, compare
from gliomask.statistics.summary import scores_by_patient

COMPARISON = "comparison"
_OURS = {f"{COMPARISON}.{kind}" for kind in ("csv", "json", "tex")} | {REPORT, PROVENANCE}
_USUAL = ("dice", "hd95_mm", "hd95_px")
"""Default metrics: few, because of the correction for multiple comparisons."""
_KEYS = ("case", "patient", "region")
_VOLUMES = (("ml", "volume_reference_ml"), ("voxels", "volume_reference_px"))


@dataclass(frozen=True)
class CompareResult:
    """Result of ``compare``.

    Attributes:
        out: the folder written.
        comparison: every pair in every score and region.
        notes: sentences on differences that limit the comparison.
    """

    out: Path
    comparison: Comparison
    notes: tuple[str, ...] = ()


def compare_evaluations(options: CompareOptions, control: Control = SILENT) -> CompareResult:
    """Compare evaluations and write the folder of a comparison.

    Raises:
        InputError: a folder contains no evaluation, two have the same name, they have no patient in
            common, or ``out`` contains something else. FormatError: a table of scores is damaged.
            ConfigError: the metric does not exist, or not in all evaluations.
    """
    check_replaceable(options.out, "a comparison", {f"{COMPARISON}.json"}, _OURS)
    control.start(len(options.evaluations), "reading evaluations")
    metrics = _chosen(options.metrics)
    rows = {}
    for name, folder in _named(options.evaluations).items():
        rows[name] = _read(folder, metrics)
        control.advance(note=name)
    sets = _sets(rows, metrics)
    best = {key: _best(key) for key in next(iter(sets.values()))}
    compared = compare(sets, best=best, seed=options.seed, control=control)
    notes = _other_references(rows)
    keys = {"notice": RESEARCH_USE_ONLY, "policy": POLICY.text, "notes": notes, **asdict(compared)}
    table = LatexTable(COLUMNS, comparison_rows(compared), POLICY.text, "tab:comparison")
    with atomic_folder(options.out) as folder:
        write_text(folder / f"{COMPARISON}.json", json.dumps(keys, indent=1) + "\n")
        write_text(folder / f"{COMPARISON}.csv", _csv(compared))
        write_text(folder / f"{COMPARISON}.tex", latex_table(table))
        write_text(folder / REPORT, comparison_page(compared, notes))
        text = json.dumps(provenance("compare", options), indent=1)
        write_text(folder / PROVENANCE, text + "\n")
    return CompareResult(options.out, compared, notes)


def _named(folders: Sequence[Path]) -> dict[str, Path]:
    """Names of the evaluations: the shortest distinct ends of their paths."""
    for path, count in Counter(folder.resolve() for folder in folders).items():
        if count > 1:
            raise InputError("an evaluation is given twice", path=path)
    absolute = [folder.absolute() for folder in folders]
    depths = range(1, max(len(path.parts) for path in absolute) + 1)
    names = ({"/".join(path.parts[-depth:]): path for path in absolute} for depth in depths)
    return next(named for named in names if len(named) == len(folders))


@dataclass(frozen=True)
class _ScoreRow:
    """A case and region of an evaluation, with its numbers by column; None for an empty cell."""

    case: str
    patient: str
    region: str
    numbers: Mapping[str, float | None]


def _read(folder: Path, metrics: Sequence[str]) -> list[_ScoreRow]:
    """Rows of the table of an evaluation, with these metrics and the volumes."""
    path = folder / TABLE
    if not path.is_file():
        raise InputError(f"not an evaluation: it does not contain {TABLE}", path=folder)
    table = read_table(path)
    table.need(*_KEYS, "dice")
    columns = (*metrics, *(column for _, column in _VOLUMES))
    rows: dict[tuple[str, str], _ScoreRow] = {}
    for number, cells in table.rows:
        case, patient, region = (cells.get(name, "") for name in _KEYS)
        if empty := next((name for name in _KEYS if not cells.get(name)), None):
            raise FormatError(f"row {number} is incomplete", path=path, field=empty, found="")
        if (case, region) in rows:
            what = f"row {number}: an earlier row has this case and region"
            raise FormatError(what, path=path, field=_KEYS[0], found=f"{case}, region={region}")
        numbers = {column: _number(cells, column, f"row {number}", path) for column in columns}
        rows[case, region] = _ScoreRow(case, patient, region, numbers)
    return list(rows.values())


def _number(cells: Mapping[str, str], column: str, where: str, path: Path) -> float | None:
    cell = cells.get(column, "")
    try:
        number = float(cell) if cell else None
    except ValueError:
        number = nan
    if number is not None and not isfinite(number):
        raise FormatError(f"{where}: not a number", path=path, field=column, found=cell)
    return number


def _other_references(rows: Mapping[str, Sequence[_ScoreRow]]) -> tuple[str, ...]:
    """A note for each two evaluations whose references of a case have different volumes."""
    volumes = {name: _reference_volumes(table) for name, table in rows.items()}
    notes = []
    for (name, first), (other, second) in combinations(volumes.items(), 2):
        differing = [
            key
            for key in first
            if key in second and not isclose(first[key], second[key], rel_tol=1e-4, abs_tol=1e-3)
        ]
        if differing:
            case, region, unit = differing[0]
            volume = f"{first[differing[0]]:.4g} and {second[differing[0]]:.4g} {unit}"
            cases = len({key[0] for key in differing})
            notes.append(
                f"{name} and {other} were scored with different references ({cases} cases; {case}, "
                f"{region}: {volume}): their differences are not those of the predictions alone"
            )
    return tuple(notes)


def _reference_volumes(table: Sequence[_ScoreRow]) -> dict[tuple[str, str, str], float]:
    """(case, region, unit) -> volume of the reference."""
    return {
        (row.case, row.region, unit): volume
        for row in table
        for unit, column in _VOLUMES
        if (volume := row.numbers[column]) is not None
    }


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in METRICS:
            hint = nearest(name, METRICS) or f"known: {', '.join(METRICS)}"
            raise ConfigError("no such score", option="metrics", found=name, hint=hint)
    return tuple(names) or _USUAL


def _sets(rows: Mapping[str, Sequence[_ScoreRow]], metrics: Sequence[str]) -> dict[str, Scores]:
    """Evaluation -> "score region" -> patient -> score, for the common scores of all
    evaluations."""
    sets = {name: _scores(region_rows, metrics) for name, region_rows in rows.items()}
    first = next(iter(sets.values()))
    shared = [key for key in first if all(key in scores for scores in sets.values())]
    if not shared:
        raise ConfigError("the evaluations have no common score")
    patients = [{patient for key in shared for patient in scores[key]} for scores in sets.values()]
    if not any(first & second for first, second in combinations(patients, 2)):
        hint = "compare evaluations of the same patients"
        raise InputError("the evaluations have no patient in common", hint=hint)
    return {name: {key: scores[key] for key in shared} for name, scores in sets.items()}


def _scores(rows: Sequence[_ScoreRow], metrics: Sequence[str]) -> dict[str, dict[str, Score]]:
    scores: dict[str, dict[str, Score]] = {}
    for region in dict.fromkeys(row.region for row in rows):
        for metric in metrics:
            read = [(row.patient, row.numbers[metric]) for row in rows if row.region == region]
            if any(value is not None for _, value in read):
                scores[f"{metric} {region}"] = scores_by_patient(read)
    return scores


def _best(key: str) -> Best:
    higher = METRICS[key.partition(" ")[0]].higher_is_better
    if higher is None:
        return "zero"
    return "high" if higher else "low"


def _csv(compared: Comparison) -> str:
    rows = []
    for difference in compared.differences:
        keys = asdict(difference)
        low, high = keys.pop("ci95") or (None, None)
        rows.append({**keys, "ci95_low": low, "ci95_high": high})
    return csv_text(tuple(rows[0]), [tuple(row.values()) for row in rows])
