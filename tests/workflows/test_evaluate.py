"""``evaluate``: a model judged on a store and on data sets."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gliomask.errors import BatchError, CasesError, ConfigError, InputError, StoreError
from gliomask.workflows.evaluate import EvaluateOptions, EvaluateResult, evaluate
from gliomask.workflows.prepare import PrepareOptions, prepare
from tests.fakes import FakeModel, head_labels, head_volume, write_head

ORDERS = [((0, 1, 2), ()), ((0, 1, 2), (0, 1)), ((2, 0, 1), (1,)), ((1, 0, 2), (2,))]


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.evaluation.assignment.load_predictor", FakeModel(size=64))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four patients: the same head, stored in four ways."""
    folder = tmp_path_factory.mktemp("data") / "cohort"
    for number, (axes, flips) in enumerate(ORDERS):
        name = f"BraTS-GLI-0000{number}-000"
        write_head(folder, name, head_volume(axes, flips), head_labels(axes, flips))
    return folder


@pytest.fixture(scope="module")
def store(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("store") / "store"
    prepare(PrepareOptions(sources=(cohort,), out=out, workers=1, folds=2))
    return out


def run(source: Path, out: Path, **changes: Any) -> EvaluateResult:
    keys = {"model": Path("fake"), "report": False, **changes}
    return evaluate(EvaluateOptions(source=source, out=out, **keys))


def rows(out: Path) -> list[dict[str, str]]:
    with (out / "metrics.csv").open() as file:
        return list(csv.DictReader(file))


def summary(out: Path) -> dict[str, Any]:
    keys: dict[str, Any] = json.loads((out / "summary.json").read_text())
    return keys


def test_every_order_of_axes_scores_the_same(cohort: Path, tmp_path: Path) -> None:
    result = run(cohort, tmp_path / "out")
    dice = [row["dice"] for row in rows(tmp_path / "out")]
    assert len(dice) == 4
    assert len(set(dice)) == 1
    assert len({row["hd95_mm"] for row in rows(tmp_path / "out")} - {""}) == 1
    assert float(dice[0]) > 0.8
    interval = result.summary.metrics["dice"]["whole"].ci95
    assert interval == pytest.approx((float(dice[0]), float(dice[0])), abs=1e-6)
    assert result.what == "cohort (brats)"


def test_a_store_scores_as_its_data_set(cohort: Path, store: Path, tmp_path: Path) -> None:
    run(cohort, tmp_path / "a")
    run(store, tmp_path / "b", part="all")
    assert (tmp_path / "a" / "metrics.csv").read_text() == (
        tmp_path / "b" / "metrics.csv"
    ).read_text()


def test_what_is_written(store: Path, tmp_path: Path) -> None:
    run(store, tmp_path / "out", part="all", figures=2, report=True)
    keys = summary(tmp_path / "out")
    assert keys["notice"] == "For research use only"
    assert keys["n"] == 4
    assert keys["dice"]["whole"]["mean"] > 0.8
    assert keys["slices"]["whole"]["n_tumour"] == 12
    assert keys["slices"]["whole"]["false_positive_rate"] == 0.0
    assert keys["failed"] == []
    figures = sorted((tmp_path / "out" / "figures").glob("panels_*.png"))
    assert len(figures) == 2
    for path in figures:
        with Image.open(path) as picture:
            assert min(picture.size) > 800
    provenance = json.loads((tmp_path / "out" / "provenance.json").read_text())
    assert provenance["options"]["part"] == "all"


def test_the_test_part_is_the_default(store: Path, tmp_path: Path) -> None:
    result = run(store, tmp_path / "out")
    assert result.what.endswith("(store), test")
    assert result.summary.n == 1
    assert not list((tmp_path / "out" / "figures").glob("panels_*"))


def test_a_fold(store: Path, tmp_path: Path) -> None:
    cases = []
    for fold in (0, 1):
        result = run(store, tmp_path / f"out{fold}", fold=fold)
        assert result.what.endswith(f"test of fold {fold}")
        cases += [row["case"] for row in rows(tmp_path / f"out{fold}")]
    assert len(cases) == len(set(cases)) == 4


def test_an_empty_part_is_an_error(cohort: Path, tmp_path: Path) -> None:
    out = tmp_path / "store"
    prepare(PrepareOptions(sources=(cohort,), out=out, workers=1, shares=(0.5, 0.5, 0), folds=0))
    with pytest.raises(StoreError, match=r"`part`=test, allowed train, validation, all"):
        run(out, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_data_set_has_no_parts(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="`part`=test"):
        run(cohort, tmp_path / "out", part="test")
    with pytest.raises(ConfigError, match="`fold`=0"):
        run(cohort, tmp_path / "out", fold=0)


def test_training_patients_are_told(store: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    seen = {"train_patients": ["BraTS-GLI-00000"], "validation_patients": ["BraTS-GLI-00001"]}
    (tmp_path / "run" / "provenance.json").write_text(json.dumps(seen))
    result = run(store, tmp_path / "out", part="all", model=str(tmp_path / "run"))
    assert result.in_training == ("BraTS-GLI-00000",)
    assert len(result.warnings) == 2
    assert "trained on 1 of the 4" in result.warnings[0]
    keys = summary(tmp_path / "out")
    assert keys["in_training"] == ["BraTS-GLI-00000"]
    assert keys["warnings"] == list(result.warnings)


def test_strangers_need_no_warning(store: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    seen = {"train_patients": ["someone"], "validation_patients": []}
    (tmp_path / "run" / "provenance.json").write_text(json.dumps(seen))
    result = run(store, tmp_path / "out", part="all", model=str(tmp_path / "run"))
    assert result.warnings == result.in_training == ()


def test_a_model_that_does_not_tell(store: Path, tmp_path: Path) -> None:
    (warning,) = run(store, tmp_path / "out").warnings
    assert "are unknown" in warning


def test_a_bad_case_is_listed(cohort: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    write_head(data, "BraTS-GLI-00000-000", head_volume(), head_labels())
    write_head(data, "BraTS-GLI-00001-000", head_volume().select(("t1",)), head_labels())
    with pytest.raises(BatchError) as caught:
        run(data, tmp_path / "out")
    ((case, reason),) = caught.value.failures
    assert case == "BraTS-GLI-00001-000"
    assert "needs flair" in reason
    assert summary(tmp_path / "out")["failed"][0]["case"] == case
    assert len(rows(tmp_path / "out")) == 1


def test_no_usable_case(tmp_path: Path) -> None:
    volume = head_volume().select(("t1",))
    write_head(tmp_path / "data", "BraTS-GLI-00001-000", volume, head_labels())
    with pytest.raises(CasesError):
        run(tmp_path / "data", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_region_that_nobody_drew(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "gliomask.evaluation.assignment.load_predictor", FakeModel(size=64, regions=("enhancing",))
    )
    result = run(cohort, tmp_path / "out", labels="brats2023")
    # Nothing enhancing was drawn, something was found: 0 by the policy.
    assert result.summary.mean("dice", "enhancing") == 0.0


def test_other_folders_are_left_alone(store: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="something other than an evaluation"):
        run(store, tmp_path / "out")
    assert (tmp_path / "out" / "thesis.doc").read_text() == "mine"


def test_a_table_of_other_patients_is_refused(cohort: Path, tmp_path: Path) -> None:
    table = tmp_path / "patients.csv"
    table.write_text("patient,grade\nx,2\n")
    with pytest.raises(InputError, match="contains none of the evaluated patients"):
        run(cohort, tmp_path / "out", table=table, by=("grade",))
    assert not (tmp_path / "out").exists()
