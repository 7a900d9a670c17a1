"""LaTeX is read back by a small reader of our own, which knows what LaTeX would choke on."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gliomask.report.latex import FigureWithInterval, LatexCell, LatexTable, escape, latex_table

NASTY = r"x_1%&\$#{}~^<>|`--[*]"
PRINTED = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textasciigrave{}": "`",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    "{}": "",
    **{"\\" + c: c for c in "{}$&#%_"},
}
TOKEN = re.compile("|".join(map(re.escape, sorted(PRINTED, key=len, reverse=True))) + "|.")


def printed(latex: str) -> str:
    """What LaTeX would print; fails on a command or a special character that it would act on."""
    text = ""
    for part in TOKEN.findall(latex):
        assert part in PRINTED or part not in "\\{}$&#%_~^<>|`", f"bare {part!r} in {latex!r}"
        text += PRINTED.get(part, part)
    return text


def table(*rows: tuple[LatexCell, ...], columns: tuple[str, ...] = ("name", "dice")) -> str:
    return latex_table(LatexTable(columns, rows, caption="Scores", label="tab:scores"))


def test_a_whole_table() -> None:
    rows = (
        ("ours", 0.81234, 12),
        ("peer_1", FigureWithInterval(-0.5, (-0.75, 0.25)), 3),
        ("none", None, 0),
    )
    text = latex_table(
        LatexTable(("model", "Dice", "n"), rows, caption="50% & more", label="tab:a_1", decimals=2)
    )
    assert text == (
        "\\begin{table}\n"
        "\\centering\n"
        "\\caption{50\\% \\& more}\n"
        "\\label{tab:a_1}\n"
        "\\begin{tabular}{lrr}\n"
        "\\toprule\n"
        "model & Dice & n \\\\\n"
        "\\midrule\n"
        "ours & 0.81 & 12 \\\\\n"
        "peer\\_1 & $-$0.50 [$-$0.75, 0.25] & 3 \\\\\n"
        "none & -- & 0 \\\\\n"
        "\\bottomrule\n"
        "\\end{tabular}\n"
        "\\end{table}\n"
    )


@pytest.mark.parametrize("special", list(NASTY))
def test_every_special_character_is_printed(special: str) -> None:
    assert printed(escape(special)) == special
    assert printed(escape(f"a{special}b")) == f"a{special}b"


def test_a_name_of_nothing_but_special_characters_survives() -> None:
    assert printed(escape(NASTY)) == NASTY
    assert escape(r"x_1%\$") == r"x\_1\%\textbackslash{}\$"


def test_no_character_joins_another() -> None:
    assert escape("a--b---c") == "a-{}-b-{}-{}-c"
    assert escape("a''b,,c") == "a'{}'b,{},c"
    assert escape("?`") == r"?{}\textasciigrave{}"


def test_what_can_t_be_printed_is_a_space() -> None:
    assert escape("a\nb\tc\x00d") == "a b c d"


@settings(deadline=None)
@given(st.text(max_size=30))
def test_all_text_is_printed_as_it_stands(text: str) -> None:
    assert printed(escape(text)) == "".join(c if c.isprintable() else " " for c in text)


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=4))
def test_every_row_has_its_cells_on_a_line_of_its_own(rows: list[tuple[LatexCell, ...]]) -> None:
    body = table(*rows).split("\\midrule\n")[1].split("\\bottomrule")[0].splitlines()
    assert len(body) == len(rows)
    for line in body:
        assert line.endswith(" \\\\")
        assert len(re.findall(r"(?<!\\)&", line)) == 1


@pytest.mark.parametrize("first", ["[0.5]", "*", "[2ex]"])
def test_a_first_cell_is_no_option_of_the_line_before(first: str) -> None:
    lines = table((first, 1), columns=(first, "n")).splitlines()
    assert lines[6].startswith("{}" + first)
    assert lines[8].startswith("{}" + first)


def test_intervals_that_are_not_known() -> None:
    text = table(("a", FigureWithInterval(0.5, None)), ("b", FigureWithInterval(None, None)))
    assert "a & 0.500 \\\\" in text
    assert "b & -- \\\\" in text


def test_what_can_t_be_set() -> None:
    with pytest.raises(ValueError, match="2 cells of the columns"):
        table(("a",))
    with pytest.raises(ValueError, match="cells of the columns"):
        table(columns=())
    with pytest.raises(ValueError, match="nan in a table"):
        table(("a", float("nan")))
    for label in ("", "a b", "a}", "tab:%"):
        with pytest.raises(ValueError, match="the label"):
            latex_table(LatexTable(("n",), (), "c", label))
