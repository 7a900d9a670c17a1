"""The browser of the tests: missing is a skip for people and a failure for CI."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.browser import REQUIRE, chromium


def test_a_missing_browser_skips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(REQUIRE, raising=False)
    with pytest.raises(pytest.skip.Exception, match="not installed"), chromium():
        pass


def test_a_missing_browser_fails_where_it_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(REQUIRE, "1")
    with pytest.raises(pytest.fail.Exception, match="not installed"), chromium():
        pass


@pytest.mark.browser
def test_tells_errors_and_requests(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text('<img src="http://127.0.0.1:9/x.png"><script>nothing.there()</script>')
    with chromium() as browser:
        browser.open(page)
        assert browser.requests() == ["http://127.0.0.1:9/x.png"]
        assert any("nothing is not defined" in text for text in browser.problems())
