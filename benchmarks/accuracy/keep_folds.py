"""The models of a cross-validation without machine-specific files, for archiving.

    python -m benchmarks.accuracy.keep_folds OUT EXPERIMENT KEPT

They reproduce the figures of docs/explanation/accuracy-lgg.md without a training, and are the
initial weights of a further cycle:

    gliomask evaluate lgg.store --model KEPT/fold0 --model KEPT/fold1 ... --out evaluated

Weights and card are unchanged. The provenance keeps the patients and the software, and no path or
name of the machine.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

from benchmarks.accuracy.folds import read_plan
from gliomask.core.atomic import atomic_folder
from gliomask.errors import ModelError
from gliomask.nets.arrays import WEIGHTS_FILE, read_arrays
from gliomask.nets.cards import CARD_FILE
from gliomask.provenance.run_files import PROVENANCE
from gliomask.provenance.run_record import RunRecord

_KEPT = ("notice", "software", "seed", "data", "train_patients", "validation_patients")
_KEPT_OF_MODELS = ("sha256", "description", "train_patients", "validation_patients")


def keep(runs: list[Path], kept: Path) -> None:
    """Writes ``kept``, a folder for each run.

    Raises:
        ModelError: a run's weights are not those of its card, or it has no provenance.
    """
    with atomic_folder(kept) as folder:
        for run in runs:
            read_arrays(run)
            (folder / run.name).mkdir()
            for name in (WEIGHTS_FILE, CARD_FILE):
                shutil.copyfile(run / name, folder / run.name / name)
            text = json.dumps(_plain(RunRecord(run)), indent=1) + "\n"
            (folder / run.name / PROVENANCE).write_text(text, encoding="utf-8")


def _plain(record: RunRecord) -> dict[str, Any]:
    keys = record.provenance
    if not keys:
        raise ModelError("the run has no provenance", path=record.run)
    kept = {name: keys[name] for name in _KEPT if name in keys}
    for role in ("start", "teacher"):
        if role in keys:
            model = keys[role]
            kept[role] = {name: model[name] for name in _KEPT_OF_MODELS if name in model}
    return kept


def main() -> None:
    """The command."""
    plan = read_plan()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("experiment", choices=plan, metavar="EXPERIMENT")
    parser.add_argument("kept", type=Path)
    options = parser.parse_args()
    runs = sorted((options.out / plan[options.experiment].folder).glob("fold*/"))
    keep(runs, options.kept)


if __name__ == "__main__":
    main()
