"""Dice of made heads whose brain and head are of test patients of a fold, by the model of the fold.

    python -m benchmarks.accuracy.made_heads.held_out HEADS STORE FOLD MODEL...

HEADS is a store of made heads, STORE the store of their patients, with the split that has FOLD.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from gliomask.core.regions import labels_of_regions, region_masks
from gliomask.core.slices import uncrop
from gliomask.evaluation.reference_cases import Subject, find_subjects
from gliomask.inference.predictor import Predictor, load_predictor
from gliomask.jobs.control import SILENT


def dice_of(predictor: Predictor, subject: Subject) -> dict[str, float]:
    """Dice of each region that the subject's mask or the prediction contains, without clean-up."""
    regions = predictor.card.regions
    examination = subject.load(SILENT)
    stack = examination.stack
    labels = labels_of_regions(predictor.maps(stack) >= predictor.card.threshold, regions)
    masks = region_masks(uncrop(labels, stack.record), regions)
    references = region_masks(examination.reference, regions)
    sizes = [int(a.sum() + b.sum()) for a, b in zip(masks, references, strict=True)]
    return {
        region: 2 * int((masks[k] & references[k]).sum()) / sizes[k]
        for k, region in enumerate(regions)
        if region in examination.regions and sizes[k]
    }


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("heads", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("fold", type=int)
    parser.add_argument("models", nargs="+")
    options = parser.parse_args()
    held_out = {
        subject.case for subject in find_subjects(options.store, "test", options.fold).subjects
    }
    subjects = [
        subject
        for subject in find_subjects(options.heads, "all", None).subjects
        if subject.case.split("-", 1)[1] in held_out
    ]
    for model in options.models:
        predictor = load_predictor(model, "cpu")
        scores = defaultdict(list)
        for subject in subjects:
            for region, dice in dice_of(predictor, subject).items():
                scores[subject.case.split("-")[0], region].append(dice)
        for (kind, region), values in scores.items():
            print(model, kind, region, len(values), f"{np.mean(values):.3f}", flush=True)


if __name__ == "__main__":
    main()
