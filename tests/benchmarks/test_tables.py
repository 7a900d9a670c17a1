"""Tables as text, Markdown and JSON."""

from __future__ import annotations

import json

import pytest

from benchmarks.tables import Cell, Report, Table, as_json, as_markdown, as_text, shown

REPORT = Report(
    {"processor": "made up", "versions": {"torch": "2", "numpy": "1"}},
    (Table("speed", ("who", "ms", "ratio"), (("ours", 12.3456, None), ("b", 1.0, float("nan")))),),
    ("a note",),
)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (1131181, "1,131,181"),
        (0.0, "0"),
        (0, "0"),
        (12.3456, "12.3"),
        (1.0, "1.00"),
        (0.012345, "0.0123"),
        (12345.6, "12,346"),
        (6.4e-7, "6.4e-07"),
        (-2.5, "-2.50"),
        ("as it is", "as it is"),
        ("", ""),
    ],
)
def test_a_cell_has_three_digits_that_count(cell: Cell, text: str) -> None:
    assert shown(cell) == text


def test_text_is_aligned() -> None:
    assert as_text(REPORT) == (
        "processor: made up\n"
        "versions: torch 2, numpy 1\n"
        "\n"
        "speed\n"
        "who     ms  ratio\n"
        "ours  12.3      –\n"
        "b     1.00      –\n"
        "\n"
        "a note"
    )


def test_markdown_is_a_table() -> None:
    lines = as_markdown(REPORT).splitlines()
    assert lines[0] == "Machine: processor made up; versions torch 2, numpy 1."
    assert "| who | ms | ratio |" in lines
    assert "| ours | 12.3 | – |" in lines
    assert lines[-1] == "- a note"


def test_json_keeps_the_figures_unrounded() -> None:
    found = json.loads(as_json(REPORT))
    assert found["tables"][0]["rows"][0] == {"who": "ours", "ms": 12.3456, "ratio": None}
    assert found["tables"][0]["rows"][1]["ratio"] is None
    assert found["machine"]["versions"]["torch"] == "2"


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="speed: a row of another length"):
        Table("speed", ("who", "ms"), (("ours",),))
