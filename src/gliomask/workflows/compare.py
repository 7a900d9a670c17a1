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
from math import isclose
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
from gliomask.statistics.comparison import Comparison, Scores, compare
from gliomask.statistics.summary import scores_by_patient

COMPARISON = "comparison"
_OURS = {f"{COMPARISON}.{kind}" for kind in ("csv", "json", "tex")} | {REPORT, PROVENANCE}
_USUAL = ("dice", "hd95_mm", "hd95_px")
"""Default metrics: few, because of the correction for multiple comparisons."""
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
    rows = {}
    for name, folder in _named(options.evaluations).items():
        rows[name] = _read(folder)
        control.advance(note=name)
    sets = _sets(rows, _chosen(options.metrics))
    lower = {key for key in next(iter(sets.values())) if _lower_is_better(key)}
    compared = compare(sets, lower_is_better=lower, seed=options.seed, control=control)
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


def _read(folder: Path) -> list[Mapping[str, str]]:
    """Rows of the table of an evaluation."""
    if not (folder / TABLE).is_file():
        raise InputError(f"not an evaluation: it does not contain {TABLE}", path=folder)
    table = read_table(folder / TABLE)
    table.need("case", "patient", "region", "dice")
    return [row for _, row in table.rows]


def _other_references(rows: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[str, ...]:
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


def _reference_volumes(table: Sequence[Mapping[str, str]]) -> dict[tuple[str, str, str], float]:
    """(case, region, unit) -> volume of the reference."""
    return {
        (row["case"], row["region"], unit): volume
        for row in table
        for unit, column in _VOLUMES
        if (volume := _number(row, column)) is not None
    }


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in METRICS:
            hint = nearest(name, METRICS) or f"known: {', '.join(METRICS)}"
            raise ConfigError("no such score", option="metrics", found=name, hint=hint)
    return tuple(names) or _USUAL


def _sets(
    rows: Mapping[str, Sequence[Mapping[str, str]]], metrics: Sequence[str]
) -> dict[str, Scores]:
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


def _scores(
    rows: Sequence[Mapping[str, str]], metrics: Sequence[str]
) -> dict[str, dict[str, Score]]:
    scores: dict[str, dict[str, Score]] = {}
    for region in dict.fromkeys(row["region"] for row in rows):
        for metric in metrics:
            region_rows = [row for row in rows if row["region"] == region]
            read = [(row["patient"], _number(row, metric)) for row in region_rows]
            if any(value is not None for _, value in read):
                scores[f"{metric} {region}"] = scores_by_patient(read)
    return scores


def _number(row: Mapping[str, str], metric: str) -> float | None:
    cell = row.get(metric, "")
    try:
        return float(cell) if cell else None
    except ValueError:
        raise FormatError("not a number", path=TABLE, field=metric, found=cell) from None


def _lower_is_better(key: str) -> bool:
    return METRICS[key.partition(" ")[0]].higher_is_better is False


def _csv(compared: Comparison) -> str:
    rows = []
    for difference in compared.differences:
        keys = asdict(difference)
        low, high = keys.pop("ci95") or (None, None)
        rows.append({**keys, "ci95_low": low, "ci95_high": high})
    return csv_text(tuple(rows[0]), [tuple(row.values()) for row in rows])
