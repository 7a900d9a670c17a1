"""Text that someone else chose, in Markdown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gliomask.report.markdown import LONGEST, escape_markdown, one_line
from tests.report.reading import ALLOWED, page_of


@given(st.text())
def test_escaped_text_reads_the_same(text: str) -> None:
    page = page_of(f"| a |\n| --- |\n| x{escape_markdown(text)}x |\n")
    assert page.tags <= ALLOWED
    assert len(page.rows) == 2
    assert page.rows[1] == [f"x{' '.join(one_line(text).split())}x"] or len(text) > LONGEST


def test_one_line_is_short_and_shows_nothing_unseen() -> None:
    assert one_line(" a\u2028b\u202e\n c ") == "a b c"
    assert one_line("x" * 400) == "x" * (LONGEST - 1) + "…"
    assert one_line("") == ""


def test_addresses_are_broken() -> None:
    assert "://" not in escape_markdown("https://e.org")
    assert "WWW." not in escape_markdown("WWW.e.org")
