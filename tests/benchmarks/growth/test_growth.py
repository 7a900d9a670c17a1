"""The points of the growth curves, each done once on next to nothing; and what is told of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.growth.cohorts import masks_to_score, tiny_cohort
from benchmarks.growth.curve import Curve, Point
from benchmarks.growth.curves import processes, summary
from benchmarks.growth.plot import draw
from benchmarks.growth.points import POINTS
from benchmarks.growth.series import LITTLE, Series, all_series
from benchmarks.harness import Timing
from gliomask.core.case import ImageFile
from gliomask.formats.images import read_labels
from gliomask.learning.batches import Batch
from gliomask.store.store import open_store


def do(words: list[str]) -> object:
    """A point in this process."""
    return POINTS[words[0]](*words[1:])()


def curve(unit: str, values: tuple[int, ...], seconds: tuple[float, ...]) -> Curve:
    """One with 100 MiB and 1 MiB a unit."""
    series = Series("work", unit, values, lambda _: [])
    points = (
        Point(v, Timing(s, s), Timing(s + 1, 2 * s), 100.0 + v, 0.0)
        for v, s in zip(values, seconds, strict=True)
    )
    return Curve(series, tuple(points))


def test_every_point_does_its_work(tmp_path: Path) -> None:
    series = {(one.name, one.unit): one for one in all_series(LITTLE, tmp_path)}
    do(series["prepare", "patient"].words(10))
    store = open_store(tmp_path / "store10")
    assert len(store.cases) == 10
    batch = do(series["first batch", "patient"].words(10))
    assert isinstance(batch, Batch)
    assert batch.images.shape == (16, 1, 32, 32)
    do(series["mask, u2net-tiny", "slice"].words(4))
    labels, _ = read_labels(ImageFile((next(tmp_path.glob("out*/*.nii.gz")),)))
    assert labels.shape == (32, 32, 4)


def test_the_forward_point_takes_any_number_of_channels(tmp_path: Path) -> None:
    (channels,) = (one for one in all_series(LITTLE, tmp_path) if one.unit == "channel")
    found = do(channels.words(2))
    assert isinstance(found, list)
    assert [one.shape for one in found] == [(1, 1, 32, 32)] * 2


def test_scoring_reads_what_was_made(tmp_path: Path) -> None:
    references, predictions = masks_to_score(tmp_path, 3, (24, 24, 24))
    assert len(list(references.iterdir())) == len(list(predictions.iterdir())) == 3
    do(["score", str(references), str(predictions), str(tmp_path / "out"), "1"])
    metrics = (tmp_path / "out" / "metrics.csv").read_text()
    assert all(f"case{number:04d}" in metrics for number in range(3))


def test_patients_beyond_the_tenth_are_links_to_the_first(tmp_path: Path) -> None:
    root = tiny_cohort(tmp_path / "cohort", 12)
    files = [root / f"BraTS2021_{n}" / f"BraTS2021_{n}_seg.nii.gz" for n in (10001, 10011)]
    assert files[0].samefile(files[1])
    assert len(list(root.iterdir())) == 12
    assert np.any(read_labels(ImageFile((files[1],)))[0])


def test_a_row_tells_what_a_unit_costs() -> None:
    row = summary(curve("slice", (1, 10, 100), (2.5, 7.0, 52.0)))
    assert row[:4] == ("work", "slice", 1, 100)
    assert row[4] == pytest.approx(500)  # ms per unit
    assert row[5] == pytest.approx(2)  # fixed s
    assert row[8] == pytest.approx(1024)  # KiB per unit
    assert row[9] == pytest.approx(100)  # fixed MiB


def test_several_processes_are_held_against_one() -> None:
    rows = processes(curve("process", (1, 2), (8.0, 5.0)))
    assert rows == [("work", 1, 8.0, 16.0, 1.0), ("work", 2, 5.0, 10.0, 1.6)]


def test_curves_are_drawn(tmp_path: Path) -> None:
    two = [curve("slice", (1, 10), (1.0, 2.0)), curve("pixel", (1, 10), (1.0, 2.0))]
    draw(two, tmp_path)
    assert (tmp_path / "growth.png").stat().st_size > 10_000
    assert (tmp_path / "growth.svg").read_text().count('<g id="axes_') == 4
