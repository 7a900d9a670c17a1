"""The page of an evaluation, as text and in a browser."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from gliomask.report.evaluation import page as pages
from gliomask.report.evaluation.figures import evaluation_charts
from gliomask.report.evaluation.page import EvaluationContent, evaluation_page
from tests.browser import Browser, browser  # noqa: F401  (the fixture)
from tests.report.evaluation.judged import analysis, pictures

EVIL = "<script>window.hacked = 1</script>"
CASES = [f"case-{k}" for k in range(7)] + [EVIL]


def findings(**changes: object) -> EvaluationContent:
    found = analysis(CASES)
    keys: dict[str, object] = {
        "title": f"a model {EVIL}",
        "subtitle": "on made-up patients",
        "warnings": ("synthetic patients: not a measure of accuracy",),
        "analysis": found,
        "charts": list(evaluation_charts(found)),
        "pictures": {case: pictures(case) for case in CASES},
        "remarks": (("case-0", f"would fit mirrored {EVIL}"),),
        "failures": (("case-9", f"no reference for {EVIL}"),),
        "facts": (("model", EVIL), ("licence", "none")),
        "checklist": (),
        **changes,
    }
    return EvaluationContent(**keys)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(evaluation_page(findings()), encoding="utf-8")
    return path


def test_says_what_must_be_said(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "For research use only" in text
    assert "synthetic patients: not a measure of accuracy" in text
    assert "Both masks empty" in text
    assert "no reference for" in text


def test_every_name_is_escaped(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert EVIL not in text
    assert text.count("&lt;script&gt;window.hacked") >= 5
    assert len(re.findall("<script", text)) == 1


def test_the_worst_case_comes_first(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    rows = re.findall(r'data-detail="detail-\d+".*?<button[^>]*>(.*?)</button>', text, re.DOTALL)
    assert len(rows) == len(CASES)
    assert rows[0] == "case-0"
    assert "script" in rows[-1]


def test_many_cases_keep_the_page_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "WITH_PICTURES", 4)
    text = evaluation_page(findings())
    assert "4 of 8 cases are shown with slices" in text
    assert len(re.findall(r"\.s\d+-0\{--", text)) == 4
    assert ".s0-0{" in text  # the worst
    assert ".s7-0{" in text  # the best


def test_masks_without_an_image_have_three_panels() -> None:
    bare = {case: pictures(case, image=False) for case in CASES}
    text = evaluation_page(findings(pictures=bare))
    assert "panels masks" in text
    assert "Predicted on image" not in text


@pytest.mark.browser
def test_in_a_browser(page: Path, browser: Browser) -> None:  # noqa: F811
    browser.open(page)
    assert browser.run("return window.hacked") is None
    assert browser.run("return document.querySelectorAll('svg').length") >= 6

    def first() -> str:
        cell = "return document.querySelector('#cases tr.case th').textContent.trim()"
        return str(browser.run(cell))

    click = "document.querySelectorAll('#cases thead button')[arguments[0]].click()"
    assert first().startswith("case-0")
    browser.run(click, 1)  # by Dice, which is rising: now falling
    assert "script" in first()
    browser.run(click, 0)  # by name
    assert first() == EVIL
    browser.run(click, 0)
    assert first().startswith("case-6")

    opened = "return document.querySelector('#detail-1').hidden"
    assert browser.run(opened) is True
    browser.run("document.querySelector('[aria-controls=detail-1]').click()")
    assert browser.run(opened) is False
    shots = "return document.querySelectorAll('#detail-1 .slice:first-of-type .shot').length"
    assert browser.run(shots) == 6
    drawn = browser.run(
        "const shot = document.querySelector('#detail-1 .shot.image');"
        "return [getComputedStyle(shot).backgroundImage.slice(0, 20), shot.clientWidth > 50]"
    )
    assert drawn == ['url("data:image/jpeg', True]

    search = (
        "const box = document.getElementById('search'); box.value = arguments[0];"
        "box.dispatchEvent(new Event('input'));"
        "return [...document.querySelectorAll('#cases tr.case')].filter(r => !r.hidden).length"
    )
    assert browser.run(search, "case-3") == 1
    assert browser.run("return document.getElementById('found').textContent") == "1 of 8"
    assert browser.run(search, "") == 8
    assert browser.problems() == []
    assert browser.requests() == []


@pytest.mark.browser
def test_on_a_phone(page: Path, browser: Browser) -> None:  # noqa: F811
    browser.open(page, width=390, height=800)
    browser.run("document.querySelector('[aria-controls=detail-1]').click()")
    assert browser.run("return document.documentElement.scrollWidth") <= 390
    widest = (
        "const all = [...document.querySelectorAll('#detail-1 .panels')];"
        "return Math.max(...all.map(panels => panels.clientWidth))"
    )
    assert browser.run(widest) <= 390
    assert browser.problems() == []


def test_the_undecodable_bytes_of_a_name_are_escaped() -> None:
    page = evaluation_page(replace(findings(), title="M\udcfcller", subtitle="by H\udce9"))
    assert "M\\xfcller" in page
    assert "by H\\xe9" in page
    page.encode("utf-8")
