"""A batch of which some fail: what succeeded is shown all the same."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.commands import run
from tests.datasets.tiny import mask
from tests.fakes import FakeModel, head_volume, write_head


@pytest.mark.parametrize("as_json", [False, True])
def test_what_succeeded_is_shown_beside_what_failed(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    as_json: bool,
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    bad = write_head(tmp_path / "in", "BraTS-GLI-00002-000", head_volume())
    (bad / "BraTS-GLI-00002-000-t1n.nii.gz").write_bytes(b"damaged")
    out, how = tmp_path / "out", ("--json",) if as_json else ()
    words = ("predict", tmp_path / "in", "--out", out, "--model", tmp_path, "--write", "nifti")
    code = run(monkeypatch, *words, *how)
    shown = capsys.readouterr()
    assert code == 3, shown.err
    assert "  BraTS-GLI-00002-000: " in shown.err
    assert f"error: 1 failed, 1 done; see {out}" in shown.err
    if as_json:
        told = json.loads(shown.out)
        assert [case["case"] for case in told["cases"]] == ["BraTS-GLI-00001-000"]
        assert [case for case, _ in told["failures"]] == ["BraTS-GLI-00002-000"]
    else:
        assert "BraTS-GLI-00001-000" in shown.out
        assert " ml" in shown.out
        assert "BraTS-GLI-00002-000" not in shown.out


def test_scores_of_the_others_are_shown_beside_what_failed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for folder in ("ref", "pred"):
        for name in ("a", "b"):
            mask(tmp_path / folder / f"{name}.nii.gz", 1)
    (tmp_path / "pred" / "b.nii.gz").write_bytes(b"damaged")
    words = ("score", tmp_path / "ref", tmp_path / "pred", "--out", tmp_path / "out")
    code = run(monkeypatch, *words, "--no-report", "--workers", "1")
    shown = capsys.readouterr()
    assert code == 3, shown.err
    assert "  b: " in shown.err
    assert "Dice" in shown.out
    assert f"written to {tmp_path / 'out'}" in shown.out


@pytest.mark.parametrize("bad", [1, 2])
def test_failures_alone_are_shown_as_json(
    bad: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    names = [f"BraTS-GLI-0000{number}-000" for number in range(bad)]
    for name in names:
        folder = write_head(tmp_path / "in", name, head_volume())
        (folder / f"{name}-t1n.nii.gz").write_bytes(b"damaged")
    words = ("predict", tmp_path / "in", "--out", tmp_path / "out", "--model", tmp_path)
    assert run(monkeypatch, *words, "--json") == 2
    shown = capsys.readouterr()
    told = json.loads(shown.out)
    assert (told["cases"], [case for case, _ in told["failures"]]) == ([], names)
    assert all("not a NIfTI file" in reason for _, reason in told["failures"])
    assert run(monkeypatch, *words) == 2
    plain = capsys.readouterr()
    assert (plain.out, plain.err) == ("", shown.err)
    assert not (tmp_path / "out").exists()
