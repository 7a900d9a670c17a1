"""The page and the table over a batch."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from gliomask.core.reliability import Level, Reason, Reliability
from gliomask.formats.case_record import CaseRecord
from gliomask.report.batch.outliers import outliers
from gliomask.report.batch.page import MAX_ROWS, BatchCase, batch_page
from gliomask.results.batch import overview
from gliomask.results.batch.overview import write_overview
from gliomask.results.batch.status import BatchStatus
from tests.browser import Browser, browser  # noqa: F401
from tests.fakes import fake_card


def record(case: str, ml: float = 12.0, level: Level = "green") -> CaseRecord:
    reason = Reason(level, "c", "the maps <b>disagree</b>")
    return CaseRecord(
        case=case,
        patient=case,
        tumour_found=True,
        volumes_ml={"whole": ml},
        volumes_ml_90={"whole": (ml - 2, ml + 3)},
        voxels={"whole": 1200},
        intervals={},
        reliability=Reliability(level, (reason,)),
        lesions=tuple({"number": n, "outline": "x" * 200} for n in range(50)),
        mask_values={"1": "tumour"},
        shape=(4, 4, 4),
        spacing_mm=(1, 1, 1),
        axes="RAS",
        sequences_used=("flair",),
        sequences_missing=("t1",),
        images={},
        series=(),
        model="fake",
        synthetic_training=False,
        synthetic_data=False,
        notes=(),
        timings_s={},
        files=(f"{case}.html", f"{case}_mask.nii.gz"),
        result="0" * 64,
        key="0" * 64,
        provenance={},
    )


def test_volumes_far_from_the_others_stand_out() -> None:
    """Logarithms of 10 to 18 ml deviate little; 1,000 and 0.1 ml are far away."""
    rows: list[tuple[float | None, ...]] = [(10.0 + n,) for n in range(9)]
    rows += [(1000.0,), (0.1,), (0.0,), (None,), ()]
    assert outliers(rows) == {9: "large", 10: "small"}
    assert outliers(rows[:5] + rows[9:10]) == {}, "too few to tell"
    assert outliers([(5.0,)] * 20) == {}, "no spread"
    assert outliers([]) == {}


def test_what_needs_a_person_comes_first(tmp_path: Path) -> None:
    records = {
        "green": record("green"),
        "red": record("red", level="red"),
        **{f"other-{n}": record(f"other-{n}", 10.0 + n) for n in range(9)},
        "huge": record("huge", 4000.0),
    }
    for name, one in records.items():
        (tmp_path / f"{name}.json").write_text(one.model_dump_json())
    failed = (("bad", "bad: is constant"),)
    status = BatchStatus(tmp_path, tuple(records), ("later",), failed)
    page = write_overview(status, fake_card())
    text = page.read_text()
    at = [text.index(f">{name}<") for name in ("bad", "later", "red", "huge", "green")]
    assert at == sorted(at)
    assert '<a href="red.html">red</a>' in text
    assert "4,000.0" in text
    assert ">large<" in text
    assert "&lt;b&gt;disagree" in text
    assert "<b>disagree" not in text
    assert "For research use only" in text
    rows = list(csv.DictReader((tmp_path / "cases.csv").read_text().splitlines()))
    assert {row["case"]: row["status"] for row in rows} == {
        **dict.fromkeys(records, "done"),
        "bad": "failed",
    }
    assert next(row for row in rows if row["case"] == "bad")["reason"] == "bad: is constant"


@pytest.mark.parametrize("cases", [2_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_many_cases_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cases: int
) -> None:
    """Each record holds 10 kB of lesions; all of 10,000 would be 100 MB."""
    one = record("x")
    monkeypatch.setattr(
        overview,
        "existing_record",
        lambda path: one.model_copy(update={"case": path.stem, "files": (f"{path.stem}.html",)}),
    )
    names = tuple(f"case-{n:05d}" for n in range(cases))
    tracemalloc.start()
    try:
        page = write_overview(BatchStatus(tmp_path, names, (), ()), fake_card())
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert page.read_text().count('<tr class="case">') == cases
    assert peak < 6e3 * cases
    assert page.stat().st_size < 600 * cases


def test_a_longer_table_is_cut_where_nobody_has_to_look() -> None:
    cases = [BatchCase(f"c{n}", "done") for n in range(MAX_ROWS)] + [BatchCase("z", "failed")]
    text = batch_page(cases, ("whole",), "m")
    assert "1 more cases are in cases.csv only" in text
    assert ">z<" in text


@pytest.mark.browser
def test_the_table_sorts_and_searches(browser: Browser, tmp_path: Path) -> None:  # noqa: F811
    cases = [
        BatchCase(name, "done", f"{name}.html", "green", (ml,), ((ml - 1, ml + 1),), (5,))
        for name, ml in (("a", 9.0), ("b", 100.0), ("c", 20.0))
    ]
    path = tmp_path / "batch.html"
    path.write_text(batch_page(cases, ("whole",), "m"), encoding="utf-8")
    browser.open(path)
    shown = (
        "return [...document.querySelectorAll('tr.case:not([hidden]) th')].map(e => e.textContent)"
    )
    browser.driver.find_elements("css selector", "th button")[3].click()
    assert browser.driver.execute_script(shown) == ["a", "c", "b"]
    browser.driver.find_elements("css selector", "th button")[3].click()
    assert browser.driver.execute_script(shown) == ["b", "c", "a"]
    browser.driver.find_element("id", "search").send_keys("c green")
    assert browser.driver.execute_script(shown) == ["c"]
    assert browser.problems() == []
    assert browser.requests() == []
