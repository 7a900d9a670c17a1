"""Preparation of a trained run for inclusion in the package: unchanged weights, complete card.

    python -m benchmarks.accuracy.ship_model RUN EVALUATION OUT --notes FILE

``RUN`` is the run of all patients, calibrated with the models of its folds (``gliomask calibrate
RUN STORE --fold ...``). ``EVALUATION`` is the evaluation of these models together (``gliomask
evaluate STORE --model FOLD0 --model FOLD1 ...``), whose figures are copied to the card. ``OUT`` is
the name of the model.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.accuracy.by_data_set import ALL, dice_by_data_set
from gliomask.errors import ModelError
from gliomask.nets.cards import ModelCard, read_card
from gliomask.nets.weights import load_model, save_model

_FIGURES = ("n", "mean", "ci95", "median", "p10", "min")
_SCORES = ("dice", "nsd_1px", "nsd_2px", "hd95_px", "assd_px")


def out_of_fold(
    summary: dict[str, Any], rows: Sequence[Mapping[str, str]], region: str
) -> dict[str, Any]:
    """The figures of an evaluation that belong on a card, to four digits.

    Args:
        summary: of the evaluation; rows: of its ``metrics.csv``.
        region: region of the detailed figures; the others have the Dice only.
    """
    slices = summary["slices"][region]
    by = {name: strata["dice"] for name, strata in summary["strata"].items()}
    by["data set"] = {
        group: asdict(figures)
        for (name, group), figures in dice_by_data_set(rows).items()
        if name == region and group != ALL
    }
    return {
        "part": "out of fold",
        "what": summary["source"],
        "unit": summary["unit"],
        "patients": summary["n"],
        **{
            name: _short(summary[name][region])
            for name in _SCORES
            if region in summary.get(name, {})
        },
        "slices_without_tumour": slices["n_tumour_free"],
        "of_these_marked": _round(slices["false_positive_rate"]),
        "dice_of": {
            name: _short(figures) for name, figures in summary["dice"].items() if name != region
        },
        "dice_by": {
            name: {label: _short(figures) for label, figures in groups.items()}
            for name, groups in by.items()
        },
    }


def _short(figures: dict[str, Any]) -> dict[str, Any]:
    return {name: _round(figures[name]) for name in _FIGURES}


def _round(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_round(item) for item in value]
    return round(value, 4) if isinstance(value, float) else value


def ship(
    run: Path, evaluation: Path, out: Path, notes: str, *, eight_bit: bool = False
) -> ModelCard:
    """Writes the model folder; ``eight_bit`` stores the weights of convolutions in 8 bits.

    Raises:
        ModelError: the run was not calibrated out of fold, or its weights are damaged.
    """
    network, card = load_model(run)
    calibration = card.metrics.get("calibration")
    if not isinstance(calibration, dict) or calibration.get("part") != "out of fold":
        raise ModelError("not calibrated by the models of its folds", path=run)
    summary = json.loads((evaluation / "summary.json").read_text(encoding="utf-8"))
    with (evaluation / "metrics.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    named = card.model_copy(
        update={
            "name": out.name,
            "metrics": {**card.metrics, "accuracy": out_of_fold(summary, rows, card.regions[0])},
            "notes": " ".join([f"{card.notes}.", *notes.split()]),
        }
    )
    save_model(out, network, named, eight_bit=eight_bit)
    return read_card(out / "card.json")


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path)
    parser.add_argument("evaluation", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--notes", type=Path, required=True, help="what is known of failures")
    parser.add_argument("--eight-bit", action="store_true", help="a quarter of the size")
    options = parser.parse_args()
    notes = options.notes.read_text(encoding="utf-8")
    card = ship(options.run, options.evaluation, options.out, notes, eight_bit=options.eight_bit)
    print(f"{card.name}: {card.weights_sha256}")


if __name__ == "__main__":
    main()
