"""``compare``: two evaluations of the same patients."""

from __future__ import annotations

import csv
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.errors import ConfigError, FormatError, InputError
from gliomask.formats.nifti import write_nifti
from gliomask.workflows.compare import CompareOptions, CompareResult, compare_evaluations
from gliomask.workflows.score import ScoreOptions, score

AFFINE = np.diag([1.0, 1.0, 1.0, 1.0])


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six patients, judged for a tool that is one row off and for one that is two rows off."""
    root = tmp_path_factory.mktemp("compare")
    for name, off, patients in (("ref", 0, 6), ("one", 1, 6), ("two", 2, 5)):
        for number in range(patients):
            mask = np.zeros((12, 8, 4), np.uint8)
            mask[2 + off : 8 + off, 2:6, 1:3] = 1
            write_nifti(root / name / f"p{number}.nii.gz", mask, AFFINE)
    for name in ("one", "two"):
        options = ScoreOptions(
            references=root / "ref",
            predictions=root / name,
            out=root / f"{name}-scored",
            report=False,
        )
        if name == "one":
            score(options)
        else:
            with pytest.raises(Exception, match="1 failed, 5 done"):
                score(options)
    return root


def run(root: Path, out: Path, **changes: Any) -> CompareResult:
    folders = (root / "one-scored", root / "two-scored")
    return compare_evaluations(CompareOptions(**{"evaluations": folders, "out": out, **changes}))


def test_evaluations_without_a_common_patient(evaluated: Path, tmp_path: Path) -> None:
    other = shutil.copytree(evaluated / "one-scored", tmp_path / "other")
    table = (other / "metrics.csv").read_text()
    (other / "metrics.csv").write_text(re.sub(r"\bp(\d)\b", r"q\1", table))
    with pytest.raises(InputError, match="no patient in common; compare evaluations of the same"):
        run(evaluated, tmp_path / "out", evaluations=(evaluated / "one-scored", other))
    assert not (tmp_path / "out").exists()


def test_by_hand(evaluated: Path, tmp_path: Path) -> None:
    """Six rows, of which five and four are shared: Dice 5/6 and 4/6."""
    found = run(evaluated, tmp_path / "out").comparison
    assert found.sets == ("one-scored", "two-scored")
    assert found.n_shared == 5
    (absent,) = found.absent
    assert (absent.patient, absent.missing_from) == ("p5", ("two-scored",))
    dice = next(one for one in found.differences if one.metric == "dice whole")
    assert dice.difference == pytest.approx(1 / 6, abs=1e-6)
    assert (dice.wins, dice.ties, dice.losses) == (5, 0, 0)
    assert dice.p == pytest.approx(2 / 2**5)  # all of 32 sign patterns, two as extreme
    assert dice.exact
    distance = next(one for one in found.differences if one.metric == "hd95_mm whole")
    assert distance.wins == 5  # the smaller distance wins
    assert distance.difference is not None
    assert distance.difference < 0


def test_what_is_written(evaluated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(evaluated, out)
    names = {entry.name for entry in out.iterdir()}
    tables = {"comparison.csv", "comparison.json", "comparison.tex"}
    assert names == tables | {"report.html", "provenance.json"}
    keys = json.loads((out / "comparison.json").read_text())
    assert keys["notice"] == "For research use only"
    with (out / "comparison.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["metric"] for row in rows] == ["dice whole", "hd95_mm whole"]
    assert float(rows[0]["ci95_low"]) == pytest.approx(1 / 6, abs=2e-6)
    page = (out / "report.html").read_text()
    assert "For research use only" in page
    assert "p5 (not in two-scored)" in page
    assert r"\toprule" in (out / "comparison.tex").read_text()


def test_it_is_replaced_and_nothing_else(evaluated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run(evaluated, out)
    run(evaluated, out, metrics=("dice",))
    (out / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match=r"other than a comparison \(entry=thesis.doc\)"):
        run(evaluated, out)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.doc").write_text("mine")
    with pytest.raises(InputError, match="other than a comparison"):
        run(evaluated, other)


def test_equal_ends_of_paths_are_told_apart(evaluated: Path, tmp_path: Path) -> None:
    ends = [tmp_path / site / "lgg" / "run" / "masks" / "scored" for site in ("site1", "site2")]
    for name, folder in zip(("one-scored", "two-scored"), ends, strict=True):
        shutil.copytree(evaluated / name, folder)
    result = run(evaluated, tmp_path / "out", evaluations=tuple(ends))
    assert result.comparison.sets == tuple(f"{n}/lgg/run/masks/scored" for n in ("site1", "site2"))


def test_what_can_not_be_compared(evaluated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(ConfigError, match=r"`metrics`=dise\); did you mean 'dice'"):
        run(evaluated, out, metrics=("dise",))
    with pytest.raises(InputError, match=r"does not contain metrics\.csv"):
        run(evaluated, out, evaluations=(evaluated / "one-scored", evaluated / "ref"))
    with pytest.raises(InputError, match="given twice"):
        run(evaluated, out, evaluations=(evaluated / "one-scored", evaluated / "one-scored"))
    (tmp_path / "link").symlink_to(evaluated / "one-scored")
    with pytest.raises(InputError, match="given twice"):
        run(evaluated, out, evaluations=(evaluated / "one-scored", tmp_path / "link"))
    with pytest.raises(ConfigError, match="have no common score"):
        run(evaluated, out, metrics=("hd95_px",))
    assert not out.exists()


def test_other_references_are_a_note(evaluated: Path, tmp_path: Path) -> None:
    """Of the first evaluation p0 gets a reference of 25 voxels, not of 6 x 4 x 2 = 48."""
    assert run(evaluated, tmp_path / "same").notes == ()
    other = tmp_path / "other"
    other.mkdir()
    text = (evaluated / "one-scored" / "metrics.csv").read_text()
    header = text.splitlines()[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in text.splitlines()[1:]]
    assert float(rows[0]["volume_reference_ml"]) == pytest.approx(0.048)
    rows[0]["volume_reference_ml"] = "0.025"
    table = [",".join(row.values()) for row in rows]
    (other / "metrics.csv").write_text("\n".join([",".join(header), *table]) + "\n")
    result = run(evaluated, tmp_path / "out", evaluations=(evaluated / "two-scored", other))
    (note,) = result.notes
    assert note.startswith(
        "two-scored and other were scored with different references (1 cases; p0, whole: 0.048 and "
        "0.025 ml)"
    )
    assert json.loads((tmp_path / "out" / "comparison.json").read_text())["notes"] == [note]
    assert note in (tmp_path / "out" / "report.html").read_text()


def test_a_damaged_table(evaluated: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    text = (evaluated / "one-scored" / "metrics.csv").read_text()
    (damaged / "metrics.csv").write_text(text.replace("0.833333", "good", 1))
    with pytest.raises(FormatError, match="dice=good"):
        run(evaluated, tmp_path / "out", evaluations=(evaluated / "two-scored", damaged))


def changed_copy(evaluated: Path, folder: Path, old: str, new: str) -> Path:
    """An evaluation of which one text in its table is another."""
    folder.mkdir()
    text = (evaluated / "one-scored" / "metrics.csv").read_text()
    assert old in text
    (folder / "metrics.csv").write_text(text.replace(old, new, 1))
    return folder


@pytest.mark.parametrize("cell", ["n/a", "nan", "inf"])
def test_a_damaged_number_names_its_evaluation_and_row(
    evaluated: Path, tmp_path: Path, cell: str
) -> None:
    damaged = changed_copy(evaluated, tmp_path / "damaged", "0.833333", cell)
    with pytest.raises(FormatError) as caught:
        run(evaluated, tmp_path / "out", evaluations=(evaluated / "two-scored", damaged))
    assert str(caught.value) == f"{damaged / 'metrics.csv'}: row 2: not a number (dice={cell})"


def test_a_case_that_occurs_twice_is_refused(evaluated: Path, tmp_path: Path) -> None:
    row = (evaluated / "one-scored" / "metrics.csv").read_text().splitlines()[1]
    repeated = row.replace("0.833333", "0.100000")
    twice = changed_copy(evaluated, tmp_path / "twice", row, f"{row}\n{repeated}")
    with pytest.raises(FormatError) as caught:
        run(evaluated, tmp_path / "out", evaluations=(evaluated / "two-scored", twice))
    assert str(caught.value) == (
        f"{twice / 'metrics.csv'}: row 3: an earlier row has this case and region "
        "(case=p0, region=whole)"
    )


def test_an_incomplete_row_is_refused(evaluated: Path, tmp_path: Path) -> None:
    row = (evaluated / "one-scored" / "metrics.csv").read_text().splitlines()[1]
    short = changed_copy(evaluated, tmp_path / "short", row, "p0,p0")
    with pytest.raises(FormatError, match=r"metrics.csv: row 2 is incomplete \(region=\)"):
        run(evaluated, tmp_path / "out", evaluations=(evaluated / "two-scored", short))
