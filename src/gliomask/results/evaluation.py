"""Evaluation folder: its content, and the rule for replacing it.

metrics.csv      a row for each case and region
summary.json     every figure, the policy, what failed
report.html      report, one file
figures/         its charts as SVG and PNG, panels of some cases
tables/          ready for a paper, as CSV and LaTeX
checklist.md     CLAIM and TRIPOD+AI, as far as the records answer them
provenance.json
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import numpy as np

from gliomask.core.atomic import atomic_folder, write_text
from gliomask.core.extras import has_extra, install_hint
from gliomask.core.output_folder import check_replaceable
from gliomask.errors import Failure
from gliomask.evaluation.case import EvaluatedCase
from gliomask.jobs.control import SILENT, Control
from gliomask.metrics.exchange import find_exchanges
from gliomask.metrics.score_table import metrics_csv
from gliomask.provenance.run_files import FIGURES, HISTORY, PROVENANCE
from gliomask.provenance.run_record import RunRecord
from gliomask.report.checklists.checklist import ChecklistItem, checklist_markdown, fill
from gliomask.report.checklists.records import Records
from gliomask.report.curves import epoch_curves
from gliomask.report.evaluation.figures import NamedFigure, evaluation_charts
from gliomask.report.evaluation.page import EvaluationContent, curves_chart, evaluation_page
from gliomask.report.evaluation.pictures import decode_slice
from gliomask.report.evaluation.tables import TextTable, score_tables, strata_table
from gliomask.report.latex import LatexTable, latex_table
from gliomask.report.panels import draw_panels
from gliomask.report.style import save
from gliomask.statistics.analysis import Analysis, Probabilities, Traits, analyse, analysis_keys
from gliomask.statistics.logit_counts import pool
from gliomask.statistics.summary_tables import groups_csv, scores_csv

METRICS, SUMMARY = "metrics.csv", "summary.json"
REPORT, TABLES, CHECKLIST = "report.html", "tables", "checklist.md"
Ranked = TypeVar("Ranked")
_OURS = {
    *(METRICS, SUMMARY, PROVENANCE, REPORT, CHECKLIST),
    *(f"{FIGURES}/*.{kind}" for kind in ("svg", "png")),
    *(f"{TABLES}/*.{kind}" for kind in ("csv", "tex")),
}


@dataclass(frozen=True, eq=False)
class EvaluationData:
    """Content of an evaluation folder.

    Attributes:
        title: description of the evaluated data.
        subtitle: description of the models.
        cases: the cases, in the order of the table.
        failures: (case, reason) of failed cases.
        traits: patient -> properties from a table, in addition to those of the cases.
        temperature: temperature of the probabilities in ``cases``, from the model card.
        licences: of the data.
        warnings: warnings to show with all results.
        facts: (name, value) of data and model, for the page.
        about: facts on the evaluation, for ``summary.json``.
        provenance: goes into ``provenance.json``.
        runs: run folders of the evaluated models; their records fill the checklists.
        figures: number of cases to draw: the worst, the best, the median and others between.
        report: whether the report and its figures are written.
    """

    title: str
    cases: tuple[EvaluatedCase, ...]
    failures: tuple[Failure, ...]
    subtitle: str = ""
    traits: Traits = field(default_factory=lambda: MappingProxyType({}))
    temperature: float = 1.0
    licences: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    about: Mapping[str, object] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    runs: tuple[RunRecord, ...] = ()
    figures: int = 0
    report: bool = True

    @property
    def synthetic(self) -> bool:
        """True if any of the patients is synthetic."""
        return any(case.synthetic for case in self.cases)


@dataclass(frozen=True)
class EvaluationFindings:
    """Results and remarks of an evaluation.

    Attributes:
        analysis: its figures.
        remarks: (case, what looks wrong with it).
    """

    analysis: Analysis
    remarks: tuple[tuple[str, str], ...]


def check_target(out: Path) -> None:
    """Refuse to replace anything but an earlier evaluation.

    Raises:
        InputError: ``out`` is a file, or a folder that contains something else.
    """
    check_replaceable(out, "an evaluation", {SUMMARY}, _OURS)


def write_evaluation_folder(
    out: Path, data: EvaluationData, control: Control = SILENT
) -> EvaluationFindings:
    """Compute the results and write the folder, atomically.

    An earlier evaluation in it is replaced.

    Args:
        out: the folder.
        data: data of the evaluation; at least one case.
        control: reports the charts; a stop leaves the folder as it was.
    """
    drawn = has_extra("matplotlib")
    if data.report and not drawn:
        data = replace(data, warnings=(*data.warnings, without_charts()))
    analysis = _analyse(data)
    control.check()
    remarks = _remarks(data)
    keys = {
        **analysis_keys(analysis),
        **data.about,
        "synthetic_data": data.synthetic,
        "licences": list(data.licences),
        "warnings": list(data.warnings),
        "remarks": _listed(remarks, "remark"),
        "failed": _listed(data.failures, "reason"),
    }
    checklist = _checklist(data, keys)
    with atomic_folder(out) as folder:
        write_text(folder / METRICS, metrics_csv(analysis.scores))
        _write_json(folder / SUMMARY, keys)
        _write_json(folder / PROVENANCE, data.provenance)
        write_text(folder / CHECKLIST, checklist_markdown(checklist))
        _write_tables(folder / TABLES, analysis)
        control.check()
        if data.report:
            charts = _draw_charts(data, analysis, folder / FIGURES, control) if drawn else []
            control.check()
            findings = _findings(data, analysis, remarks, charts, checklist)
            write_text(folder / REPORT, evaluation_page(findings))
    return EvaluationFindings(analysis, remarks)


def without_charts() -> str:
    """Note for an installation that can't draw charts."""
    return f"Without charts: matplotlib is not installed; {install_hint('matplotlib')}"


def _draw_charts(
    data: EvaluationData, analysis: Analysis, folder: Path, control: Control
) -> list[NamedFigure]:
    """Writes the charts and the panels; gives the charts of the page, curves of training too."""
    charts = []
    for chart in evaluation_charts(analysis):
        control.check()
        charts.append(chart)
    control.start(len(charts) + data.figures, "drawing charts")
    for chart in charts:
        for kind in ("svg", "png"):
            control.check()
            save(chart.figure, folder / chart.stem, (kind,))
        control.advance()
    _draw_panels(data, folder, control)
    return [*charts, *_curves([model.run for model in data.runs])]


def _analyse(data: EvaluationData) -> Analysis:
    cases = data.cases
    regions = dict.fromkeys(region for case in cases for region in case.calibration)
    counts = {
        region: pool(c.calibration[region] for c in cases if region in c.calibration)
        for region in regions
    }
    return analyse(
        [score for case in cases for score in case.scores],
        {case.patient: {**case.traits, **data.traits.get(case.patient, {})} for case in cases},
        {
            region: Probabilities(counts_of_region, data.temperature)
            for region, counts_of_region in counts.items()
        },
    )


def _remarks(data: EvaluationData) -> tuple[tuple[str, str], ...]:
    """Remarks on cases that look wrong, and on masks that seem to be of another case."""
    own = [(case.case, remark) for case in data.cases for remark in case.remarks]
    exchanges = find_exchanges(case.fit for case in data.cases if case.fit is not None)
    return (*own, *((exchange.case, exchange.text) for exchange in exchanges))


def _findings(
    data: EvaluationData,
    analysis: Analysis,
    remarks: Sequence[tuple[str, str]],
    charts: Sequence[NamedFigure],
    checklist: Sequence[ChecklistItem],
) -> EvaluationContent:
    return EvaluationContent(
        title=data.title,
        subtitle=data.subtitle,
        warnings=data.warnings
        + (("Synthetic patients: not a measure of accuracy.",) if data.synthetic else ()),
        analysis=analysis,
        charts=charts,
        pictures={case.case: case.pictures for case in data.cases},
        remarks=remarks,
        failures=data.failures,
        facts=_facts(data),
        checklist=checklist,
    )


def _curves(runs: Sequence[Path]) -> list[NamedFigure]:
    """Curves of the runs that have a history; models without a training have none."""
    runs_found = [run for run in runs if (run / HISTORY).is_file()]
    several = len(runs_found) > 1
    return [curves_chart(epoch_curves(run), run.name if several else "") for run in runs_found]


def _facts(data: EvaluationData) -> tuple[tuple[str, str], ...]:
    software = data.provenance.get("software", {})
    options = data.provenance.get("options", {})
    return (
        *data.facts,
        ("licence of the data", ", ".join(data.licences) or "not known"),
        ("command", f"gliomask {data.provenance.get('command', '')}"),
        ("options", ", ".join(f"{k} = {v}" for k, v in options.items() if v not in (None, []))),
        ("software", ", ".join(f"{name} {version}" for name, version in software.items())),
    )


def _checklist(data: EvaluationData, summary: Mapping[str, object]) -> tuple[ChecklistItem, ...]:
    """Filled from the records of the one evaluated run, if it was one."""
    records = Records(summary=summary, evaluation=data.provenance)
    if len(data.runs) == 1:
        (run,) = data.runs
        records = replace(
            records,
            card=run.card.model_dump(mode="json") if run.card else None,
            run=run.provenance or None,
            recipe=run.recipe or None,
            history=run.history,
            parameters=run.card.parameters if run.card else None,
        )
    return fill(records)


def _write_tables(folder: Path, analysis: Analysis) -> None:
    write_text(folder / "scores.csv", scores_csv(analysis))
    write_text(folder / "groups.csv", groups_csv(analysis))
    scores = zip(analysis.regions, score_tables(analysis), strict=True)
    tables = {f"scores_{region}": table for region, table in scores}
    for name, table in {**tables, "groups": strata_table(analysis)}.items():
        if table.rows:
            write_text(folder / f"{name}.tex", _latex(name, table, analysis))


def _latex(name: str, table: TextTable, analysis: Analysis) -> str:
    caption = f"{table.caption}. {analysis.summary.policy}"
    return latex_table(LatexTable(table.columns, table.rows, caption, f"tab:{name}"))


def _draw_panels(data: EvaluationData, folder: Path, control: Control) -> None:
    """Panels named so that they sort from the worst case to the best; those with an image only."""
    cases_shown = [
        (dice, case)
        for case in data.cases
        if (dice := case.scores[0].overlap.dice) is not None and case.pictures[0].image
    ]
    ranked = sorted(cases_shown, key=lambda row: (row[0], row[1].case))
    for rank, (_, case) in enumerate(_chosen(ranked, data.figures), start=1):
        picture = next((p for p in case.pictures if p.role == "median"), case.pictures[0])
        score = case.scores[0]
        view = decode_slice(picture, case.case, score.overlap.dice, synthetic=case.synthetic)
        draw_panels(view, folder / f"panels_{rank:02d}_{case.case}.png")
        control.advance()


def _chosen(ranked: Sequence[Ranked], count: int) -> list[Ranked]:
    """The worst, the best and the median one first, then others evenly between."""
    last = len(ranked) - 1
    even = np.linspace(0, max(last, 0), max(count, 2)).round().astype(int).tolist()
    ranks = list(dict.fromkeys([0, last, last // 2, *even]))[:count]
    return [ranked[k] for k in sorted(ranks)] if ranked else []


def _listed(failures: Sequence[tuple[str, str]], what: str) -> list[dict[str, str]]:
    return [{"case": case, what: text} for case, text in failures]


def _write_json(path: Path, keys: Mapping[str, object]) -> None:
    write_text(path, json.dumps(keys, indent=1, allow_nan=False) + "\n")
