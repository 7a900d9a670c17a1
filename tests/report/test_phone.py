"""On a phone (390 pixels wide) everything on a page fits, or scrolls within its own place."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from gliomask.core.reliability import Reason, Reliability
from gliomask.report.case.page import CasePage, PageTable, write_case_page
from gliomask.report.evaluation.page import evaluation_page
from gliomask.report.follow.page import follow_page
from tests.browser import Browser, browser
from tests.fakes import head_volume
from tests.report.case.case_pages import whole_prediction
from tests.report.evaluation.test_page import findings
from tests.report.follow.test_page import followed

__all__ = ["browser"]
pytestmark = pytest.mark.browser
WIDTH = 390
STICKS_OUT = """
const wide = one => one.getBoundingClientRect().right > innerWidth + 1;
const scrolls = one => one.closest(".scroll, .charts figure") !== null;
return [...document.querySelectorAll("body *")]
  .filter(one => wide(one) && !scrolls(one)).map(one => one.outerHTML.slice(0, 80));
"""


def case_page(path: Path) -> None:
    flag = Reliability("red", (Reason("red", "long", "a long reason " * 12),))
    table = PageTable("Input images", [("flair", "/a/very/long/path" * 9)], ("a", "b"))
    prediction = replace(whole_prediction(), reliability=flag)
    write_case_page(path, CasePage(prediction, head_volume(), audit=(table,)))


PAGES: dict[str, Callable[[Path], object]] = {
    "case": case_page,
    "evaluation": lambda path: path.write_text(evaluation_page(findings()), encoding="utf-8"),
    "follow": lambda path: path.write_text(follow_page(followed(None, None)), encoding="utf-8"),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_fits(name: str, browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / f"{name}.html"
    PAGES[name](path)
    browser.open(path, width=WIDTH, height=800)
    assert browser.run("return document.documentElement.scrollWidth") <= WIDTH
    assert browser.run(STICKS_OUT) == []
    assert browser.problems() == []
