"""Coverage of the intervals and sensitivity of the flag of a model, on held-out patients.

    python -m benchmarks.accuracy.claims measure MODEL SOURCE CASES.csv [--part P] [--fold K]
    python -m benchmarks.accuracy.claims report CASES.csv... [--json FILE] [--markdown]

``measure`` segments each case with uncertainty and writes a row for each region; it continues a
file that is there. ``report`` counts twice: with the intervals and flags that the model's card
gives, which is a test only of patients that it was not calibrated on, and leaving one patient out:
each patient is assessed with a calibration on all others in the files.
"""

from __future__ import annotations

import argparse
import csv
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from statistics import median
from typing import Any, Final

from benchmarks.tables import Cell, Report, Table, add_outputs, output
from gliomask.core.geometry import to_reading
from gliomask.core.regions import REGIONS, region_masks
from gliomask.core.reliability import LEVELS, Level
from gliomask.evaluation.reference_cases import Subject, find_subjects
from gliomask.inference.alarm import POOR, alarm_limit
from gliomask.inference.evidence import Evidence
from gliomask.inference.opinions import disagreement
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.inference.reliability import ENOUGH, assess
from gliomask.inference.uncertainty import doubt, fit_volumes, spread
from gliomask.jobs.control import SILENT

FROM_HELD_OUT: Final = ("maps_disagree", "not_measured", "not_checked")
"""Reasons that depend on the held-out patients of the card, and are recomputed without one."""
KINDS: Final = {False: "whole heads", True: "skull-stripped"}
INTERVAL_COLUMNS: Final = ("images", "region", "patients", "card", "one left out", "half width")
FLAG_COLUMNS: Final = ("images", "by", f"Dice < {POOR}: flagged", "others: flagged", "missed")


@dataclass(frozen=True)
class Row:
    """One region of one case; sizes in voxels.

    Attributes:
        case, patient: ids; skull_stripped, sequences: the kind of image.
        region: name; dice, true: None if the reference does not label it.
        predicted, spread, disagreement: of the prediction.
        low, high, calibrated: the interval by the card; None without tumour.
        flag: of the case by the card; other: without the reasons ``FROM_HELD_OUT``.
        removed: whether the clean-up removed much, which flags the case anyway.
    """

    case: str
    patient: str
    skull_stripped: bool
    sequences: str
    region: str
    dice: float | None
    true: int | None
    predicted: int
    spread: float
    disagreement: float
    low: float | None
    high: float | None
    calibrated: bool
    flag: Level
    other: Level
    removed: bool

    @property
    def kind(self) -> tuple[bool, str]:
        """Kind of image."""
        return self.skull_stripped, self.sequences

    @property
    def covered(self) -> bool | None:
        """True if the card's calibrated interval contains the true volume; None without one."""
        if self.low is None or self.high is None or self.true is None or not self.calibrated:
            return None
        return self.low <= self.true <= self.high


def measure(predictor: Predictor, subject: Subject) -> list[Row]:
    """The rows of one case."""
    examination = subject.load(SILENT)
    findings = predictor.evidence(examination.stack, subject.case)
    mask = to_reading(findings.prediction.mask, examination.stack.record.turn)
    regions = predictor.card.regions
    drawn = region_masks(examination.reference, regions)
    flag = assess(findings)
    other = [r.level for r in flag.reasons if r.code not in FROM_HELD_OUT]
    rows = []
    for k, (region, own) in enumerate(zip(regions, region_masks(mask, regions), strict=True)):
        labelled = region in examination.regions and examination.annotated is None
        total = int(own.sum()) + int(drawn[k].sum())
        interval = findings.intervals.get(region)
        rows.append(
            Row(
                case=subject.case,
                patient=subject.patient,
                skull_stripped=findings.skull_stripped,
                sequences=" ".join(findings.prediction.used),
                region=region,
                dice=2 * int((own & drawn[k]).sum()) / total if labelled and total else None,
                true=int(drawn[k].sum()) if labelled else None,
                predicted=int(own.sum()),
                spread=_spread(findings, k, int(own.sum())),
                disagreement=disagreement(findings.opinions, k),
                low=interval.voxels[0] if interval else None,
                high=interval.voxels[1] if interval else None,
                calibrated=interval is not None and interval.calibrated,
                flag=flag.level,
                other=max(other, key=LEVELS.index, default="green"),
                removed=any(r.code == "fragments_removed" for r in flag.reasons),
            )
        )
    return rows


def _spread(findings: Evidence, k: int, voxels: int) -> float:
    opinions = findings.opinions
    return spread(voxels, opinions.voxels[:, k], doubt(opinions.probabilities[k]))


def read(path: Path) -> list[Row]:
    """The rows of a file; none if it is not there."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return [
            Row(**{f.name: _value(f.type, row[f.name]) for f in fields(Row)})
            for row in csv.DictReader(file)
        ]


def _value(kind: Any, text: str) -> Any:
    if "None" in kind and not text:
        return None
    if "bool" in kind:
        return text == "True"
    return int(text) if "int" in kind else float(text) if "float" in kind else text


def write(path: Path, rows: Sequence[Row]) -> None:
    """All rows, with a header."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [f.name for f in fields(Row)])
        writer.writeheader()
        writer.writerows(asdict(row) for row in rows)


def interval_table(rows: Sequence[Row]) -> Table:
    """Coverage of the intervals, by kind of image and region."""
    kinds = sorted({row.kind for row in rows if row.true is not None})
    lines = [_coverage(kind, region, rows) for kind in kinds for region in REGIONS]
    return Table("90 % intervals", INTERVAL_COLUMNS, tuple(line for line in lines if line))


def _coverage(kind: tuple[bool, str], region: str, rows: Sequence[Row]) -> tuple[Cell, ...] | None:
    own = [r for r in rows if (r.kind, r.region) == (kind, region) and r.true is not None]
    own = [row for row in own if row.predicted]
    if not own:
        return None
    by_card = [row.covered for row in own if row.covered is not None]
    covered, widths = [], []
    for row in own:
        others = [other for other in own if other.patient != row.patient]
        fit = fit_volumes(
            [o.predicted for o in others],
            [o.true or 0 for o in others],
            [o.spread for o in others],
        )
        if fit is not None:
            reach = fit.stretch * row.spread
            covered.append(abs((row.true or 0) - row.predicted) <= reach)
            widths.append(reach / row.predicted)
    name = f"{KINDS[kind[0]]}, {kind[1]}"
    width = f"{100 * median(widths):.0f} %" if widths else None
    return (name, region, len(own), _share(by_card), _share(covered), width)


def flag_table(rows: Sequence[Row]) -> Table:
    """Poor masks that the flag catches, and its false alarms, of the outermost region."""
    outer = [r for r in rows if r.region == next(iter(REGIONS)) and r.dice is not None]
    lines = []
    for stripped in (False, True, None):
        own = [row for row in outer if stripped in (None, row.skull_stripped)]
        name = "all" if stripped is None else KINDS[stripped]
        lines.append(_flags(name, "card", [(row, row.flag != "green") for row in own]))
        lines.append(_flags(name, "one left out", list(_left_out(own, outer))))
    return Table("Flag of the whole tumour", FLAG_COLUMNS, tuple(lines))


def _left_out(own: Sequence[Row], rows: Sequence[Row]) -> Iterator[tuple[Row, bool]]:
    """Kinds of image with fewer than ``ENOUGH`` cases keep the flag by the card."""
    number = Counter(row.kind for row in rows)
    common = [row for row in rows if number[row.kind] >= ENOUGH and row.predicted]
    for row in own:
        others = [o for o in common if o.patient != row.patient]
        apart = [math.inf if o.removed else o.disagreement for o in others]
        limit = alarm_limit(apart, [o.dice or 0.0 for o in others])
        beyond = limit is not None and row.predicted > 0 and row.disagreement > limit
        rare = number[row.kind] < ENOUGH
        yield row, row.flag != "green" if rare else beyond or row.other != "green"


def _flags(name: str, by: str, flags: Sequence[tuple[Row, bool]]) -> tuple[Cell, ...]:
    poor = [(row, flagged) for row, flagged in flags if (row.dice or 0.0) < POOR]
    rest = [flagged for row, flagged in flags if (row.dice or 0.0) >= POOR]
    missed = ", ".join(f"{row.case} ({row.dice:.2f})" for row, flagged in poor if not flagged)
    return (name, by, _share([flagged for _, flagged in poor]), _share(rest), missed or None)


def _share(outcomes: Sequence[bool]) -> str | None:
    return f"{sum(outcomes)} of {len(outcomes)}" if outcomes else None


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    steps = parser.add_subparsers(dest="step", required=True)
    measuring = steps.add_parser("measure")
    measuring.add_argument("model")
    measuring.add_argument("source", type=Path)
    measuring.add_argument("cases", type=Path)
    measuring.add_argument("--part", choices=("training", "validation", "test", "all"))
    measuring.add_argument("--fold", type=int)
    reporting = steps.add_parser("report")
    reporting.add_argument("cases", type=Path, nargs="+")
    add_outputs(reporting)
    options = parser.parse_args()
    if options.step == "report":
        rows = [row for path in options.cases for row in read(path)]
        output(
            Report(
                {"cases": len({row.case for row in rows})}, (interval_table(rows), flag_table(rows))
            ),
            options,
        )
        return
    predictor, rows = load_predictor(options.model), read(options.cases)
    for subject in find_subjects(options.source, options.part, options.fold).subjects:
        if subject.case not in {row.case for row in rows}:
            rows += measure(predictor, subject)
            write(options.cases, rows)


if __name__ == "__main__":
    main()
