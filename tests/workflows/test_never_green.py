"""A flag of what was not measured is green nowhere: files, Python, table and page of a batch."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.core.slices import to_slices
from gliomask.core.volume import Volume
from gliomask.inference.training_distance import describe_intensities, head_quantiles
from gliomask.nets.measures import (
    KindFacts,
    RegionFacts,
    TrainingData,
    ValidationFacts,
    range_of,
)
from gliomask.results.batch.overview import write_overview
from gliomask.results.batch.status import BatchStatus
from gliomask.workflows.predict import PredictOptions, predict, predict_files
from tests.fakes import FakeModel, head_volume, write_head

NAME = "BraTS-GLI-00001-000"
GREEN = re.compile(r'class="mark green"|● green|<td class="good">')


def head() -> Volume:
    """The head of the fakes, as large as that of a child."""
    volume = head_volume()
    affine = volume.affine @ np.diag([6.0, 6.0, 6.0, 1.0])
    return replace(volume, affine=affine)


def facts(*, stripped: bool = False, tumours: int = 20) -> ValidationFacts:
    region = RegionFacts(
        tumours=tumours, missed=0, disagreement=range_of([0.1] * 20), alarm=1.0, volume=None
    )
    kind = KindFacts(
        skull_stripped=stripped, sequences=("t1", "flair"), patients=20, regions={"whole": region}
    )
    return ValidationFacts(patients=20, ways=(), kinds=(kind,))


def training_data() -> TrainingData:
    quantiles = [head_quantiles(to_slices(head()))] * 2
    return TrainingData(
        patients=2,
        slices=range_of([8]),
        pixel_mm=range_of([6.0, 7.2]),
        slice_mm=range_of([18.0]),
        intensities=describe_intensities(quantiles),
    )


CARDS: dict[str, tuple[str, dict[str, Any]]] = {
    "measured": ("green", {"validation": facts(), "training_data": True}),
    "uncalibrated": ("amber", {}),
    "no training data": ("amber", {"validation": facts()}),
    "other kind": ("amber", {"validation": facts(stripped=True), "training_data": True}),
    "no reference": ("amber", {"validation": facts(tumours=0), "training_data": True}),
}
"""Name -> level of the flag, and what the card knows."""


@pytest.mark.parametrize("name", CARDS)
def test_every_output_has_the_same_level(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    level, keys = CARDS[name]
    known: dict[str, Any] = dict(keys)
    if "training_data" in keys:
        known["training_data"] = training_data()
    model = FakeModel(size=64, **known)
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", model)
    folder, out = write_head(tmp_path / "in", NAME, head()), tmp_path / "out"
    options = PredictOptions(inputs=(folder,), out=out, model=Path("fake"))
    (record,) = predict_files(options).cases

    told = json.loads((out / f"{NAME}.json").read_text())["reliability"]
    assert told == record.model_dump(mode="json")["reliability"]  # what the server answers
    assert told["level"] == max_level(told["reasons"]) == level, told
    assert flags(out / "cases.csv") == [level]
    page = (out / f"{NAME}.html").read_text()
    assert f'class="mark {level}"' in page
    assert bool(GREEN.search(page)) == (level == "green")

    made = predict(folder, Path("fake"))
    assert made.reliability is not None
    assert made.reliability.level == level
    assert f"reliability {level}" in made._repr_html_()

    batch = write_overview(BatchStatus(out, (NAME,), (), ()), model.card).read_text()
    assert flags(out / "cases.csv") == [level]
    assert f">{level}</td>" in batch
    assert bool(GREEN.search(batch)) == (level == "green")


def flags(table: Path) -> list[str]:
    with table.open(encoding="utf-8", newline="") as file:
        return [row["flag"] for row in csv.DictReader(file)]


def max_level(reasons: list[dict[str, str]]) -> str:
    levels = ["green", "amber", "red"]
    return max((reason["level"] for reason in reasons), key=levels.index, default="green")


def test_without_an_estimate_there_is_no_flag(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    folder, out = write_head(tmp_path / "in", NAME, head()), tmp_path / "out"
    options = PredictOptions(
        inputs=(folder,), out=out, model=Path("fake"), uncertainty=False, write=("html",)
    )
    (record,) = predict_files(options).cases
    assert record.reliability is None
    assert flags(out / "cases.csv") == [""]
    assert not GREEN.search((out / f"{NAME}.html").read_text())
    batch = write_overview(BatchStatus(out, (NAME,), (), ()), FakeModel().card).read_text()
    assert not GREEN.search(batch)
