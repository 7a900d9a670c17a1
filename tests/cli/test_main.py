"""The command line: what is wrong is one line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from gliomask.cli import main as cli
from gliomask.errors import BatchError, GliomaskError, MachineError, StoppedError
from gliomask.formats.nifti import write_nifti
from gliomask.nets.cards import ModelCard
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import save_model
from gliomask.store.patient import write_patient
from tests.commands import run
from tests.datasets import tiny
from tests.fakes import FakeModel, fake_card, head_volume, write_head
from tests.studies.test_dicom_study import study


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(4):
        tiny.brats(tmp_path / "data", f"BraTS2021_0000{number}", 1, 2, 4)
    return tmp_path / "data"


@pytest.fixture
def store(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    words = ("prepare", data, "--out", tmp_path / "store", "--workers", "1", "--folds", "2")
    assert run(monkeypatch, *words) == 0
    return tmp_path / "store"


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line that begins with ``error:``."""
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("error: ")]
    return line


def test_help_loads_no_library_but_typer() -> None:
    """Options, package metadata and everything that computes are loaded when they are needed."""
    code = (
        "import sys, gliomask.cli.main as m; m.app(['--help'], standalone_mode=False);"
        "late = {'pydantic', 'numpy', 'nibabel', 'torch', 'yaml', 'importlib.metadata'};"
        "print('late:', sorted(late & {*sys.modules}))"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert found.stdout.splitlines()[-1] == "late: []"


def test_help_names_every_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--help") == 0
    shown = capsys.readouterr().out
    for command in ("demo", "inspect", "prepare", "train", "evaluate", "predict", "export"):
        assert f"  {command} " in shown


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "inspect",
        "prepare",
        "train",
        "evaluate",
        "score",
        "predict",
        "follow",
        "models",
        "phantom",
    ],
)
def test_every_command_has_help(monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    assert run(monkeypatch, command, "--help") == 0


def test_the_version_says_what_it_is_for(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "--version") == 0
    assert "for research use only" in capsys.readouterr().out


def test_follow_says_what_it_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    inputs = []
    for name, width in (("a", 12), ("b", 18)):
        mask = np.zeros((24, 16, 4), np.uint8)
        mask[2 : 2 + width, 2:14, 1:3] = 1
        inputs.append(tmp_path / f"{name}.nii.gz")
        write_nifti(inputs[-1], mask, np.eye(4))
    dates = ("--dates", "2024-01-31,2024-04-30")
    assert run(monkeypatch, "follow", *inputs, "--out", tmp_path / "out", *dates) == 0
    shown = capsys.readouterr().out
    assert "+50 [" in shown
    assert "not a response assessment. For research use only" in shown
    assert run(monkeypatch, "follow", *inputs, "--out", tmp_path / "out", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["followed"]["courses"][0]["volumes_ml"][1]["value"] == pytest.approx(0.432)
    assert run(monkeypatch, "follow", *inputs, "--out", tmp_path / "out", "--dates", "May") == 2
    assert "dates" in said(capsys)
    monkeypatch.chdir(tmp_path)  # a long path is shortened
    assert run(monkeypatch, "follow", "a.nii.gz", "--out", tmp_path / "out") == 2
    assert "(INPUT=a.nii.gz, allowed 2 or more)" in said(capsys)


def test_inspect_as_json(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "inspect", data, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["layout"] == "brats"
    assert len(found["cases"]) == 4


def test_inspect_prints_a_table(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "inspect", data) == 0
    shown = capsys.readouterr().out
    assert "8 x 9 x 6" in shown
    assert "4 cases of 4 patients, 4 with a mask" in shown


def test_a_table_cuts_no_name_and_has_no_empty_column(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    console = Console(width=80)
    monkeypatch.setattr("gliomask.cli.render._console", lambda: console)
    assert run(monkeypatch, "inspect", data) == 0
    shown = capsys.readouterr().out
    assert "…" not in shown
    assert "BraTS2021_00003" in shown
    assert "patient " not in shown  # each case is a patient of the same name
    assert "site" not in shown
    assert max(map(len, shown.splitlines()[1:-4])) <= 80


@pytest.mark.parametrize("columns", [80, 100, 200])
def test_inspect_of_dicom_stays_within_the_terminal(
    columns: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console(width=columns)
    monkeypatch.setattr("gliomask.cli.render._console", lambda: console)
    study(tmp_path / "in", PatientID="[red]P1")
    assert run(monkeypatch, "inspect", tmp_path / "in", "--series", "t2=4") == 0
    shown = capsys.readouterr().out
    table = [line for line in shown.splitlines() if line.startswith(("│", "┃"))]
    assert max(map(len, table)) <= columns
    for told in ("[red]P1", "20010203", "1.1 x 0.9 x 5 mm", "4 mm thick", "12 x 10 x 6", "Dotarem"):
        assert any(told in line for line in table)
    assert "t2 = series 4 (Ax FLAIR)" in shown


def test_what_a_file_is_called_is_no_command_to_the_terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in" / "\x1b[31ma_t1.nii.gz"
    write_nifti(path, np.arange(60, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    assert run(monkeypatch, "inspect", tmp_path / "in") == 0
    shown = capsys.readouterr()
    assert "\x1b" not in shown.out + shown.err
    assert "\\x1b[31ma_t1.nii.gz" in shown.out


@pytest.mark.parametrize("command", ["inspect", "predict"])
@pytest.mark.parametrize("series", ["flair", "=7", "flair="])
def test_a_series_needs_a_sequence(
    command: str,
    series: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words: list[str | Path] = [command, tmp_path, "--series", series]
    if command == "predict":
        words += ["--out", tmp_path / "out", "--model", "m"]
    assert run(monkeypatch, *words) == 2
    assert f"(--series={series}, allowed SEQUENCE=SERIES)" in said(capsys)


def test_equal_masks_are_perfect(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copytree(data, tmp_path / "copy")
    words = ("score", data, copy, "--out", tmp_path / "scored", "--no-report")
    assert run(monkeypatch, *words) == 0
    summary = json.loads((tmp_path / "scored" / "summary.json").read_text())
    assert {region["min"] for region in summary["dice"].values()} == {1.0}


def test_prepare_by_site_names_the_folds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for k, site in enumerate(["CS"] * 5 + ["EZ"] * 2 + ["FG"]):
        tiny.kaggle(tmp_path / "lgg", f"TCGA_{site}_{4000 + k}_19960909", slices=2)
    words = ("prepare", tmp_path / "lgg", "--out", tmp_path / "s", "--workers", "1", "--fold-by")
    assert run(monkeypatch, *words, "site") == 0
    assert "2 folds by site (CS, EZ + FG)" in " ".join(capsys.readouterr().out.split())
    assert run(monkeypatch, *words, "scanner") == 2
    assert "--fold-by=scanner, allowed size, site" in said(capsys)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("inspect", "nowhere"), "nowhere"),
        (("inspect", "empty"), "known layouts: lgg_kaggle"),
        (("prepare", "empty", "--out", "s"), "known layouts: lgg_kaggle"),
        (("train", "empty", "--out", "r"), "not a store: it contains no manifest.json; make one"),
        (("evaluate", "empty", "--model", "r", "--out", "e"), "r"),
        (("predict", "empty", "--model", "r", "--out", "p"), "r"),
        (("inspct",), "No such command 'inspct'. Did you mean 'inspect'? See gliomask --help"),
        (("predict", "--flair"), "requires an argument; see gliomask predict --help"),
        (("export", "no-model", "--out", "x"), "of this name (MODEL=no-model, allowed a path or"),
        (("inspect",), "Missing argument 'PATH'; see gliomask inspect --help"),
        (("predict", "x", "-o", "y"), "No such option: -o; see gliomask predict --help"),
        (("inspect", "empty", "--deep"), "--deep"),
    ],
)
def test_what_is_not_there(
    words: tuple[str, ...],
    text: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    assert run(monkeypatch, *words) == 2
    assert text in said(capsys)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["empty"]


def no_mask(case: Path) -> None:
    (case / f"{case.name}_seg.nii.gz").unlink()


def other_grid(case: Path) -> None:
    write_nifti(case / f"{case.name}_seg.nii.gz", np.ones((8, 9, 5), np.uint8), tiny.AFFINE)


def truncated(case: Path) -> None:
    scan = case / f"{case.name}_flair.nii.gz"
    scan.write_bytes(scan.read_bytes()[:-30])


def flipped_bit(case: Path) -> None:
    scan = case / f"{case.name}_flair.nii.gz"
    content = bytearray(scan.read_bytes())
    content[-6] ^= 1  # in the checksum, which nibabel never looks at
    scan.write_bytes(content)


def not_a_number(case: Path) -> None:
    image = tiny.intensities(0).astype(np.float32)
    image[3, 3, 3] = np.nan
    write_nifti(case / f"{case.name}_flair.nii.gz", image, tiny.AFFINE)


def constant(case: Path) -> None:
    write_nifti(case / f"{case.name}_flair.nii.gz", np.full(tiny.SHAPE, 7, np.int16), tiny.AFFINE)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (no_mask, "mask"),
        (other_grid, "grid"),
        (truncated, "truncated"),
        (flipped_bit, "CRC check failed"),
        (not_a_number, "1 voxels are not finite, the first at (3, 3, 3)"),
        (constant, "constant"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_case_that_can_not_be_used(
    spoil: object,
    reason: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert callable(spoil)
    spoil(data / "BraTS2021_00002")
    words = ("prepare", data, "--out", tmp_path / "store", "--workers", "1")
    assert run(monkeypatch, *words) == 2
    shown = capsys.readouterr().err
    assert "1 cases can't be used, 3 can" in shown
    (line,) = [line for line in shown.splitlines() if line.startswith("  BraTS2021_00002: ")]
    assert reason in line
    assert not (tmp_path / "store" / "manifest.json").exists()
    assert run(monkeypatch, *words, "--skip-bad") == 0


def test_a_patient_on_two_sides_of_the_split(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = json.loads((store / "split.json").read_text())
    keys["test"] += keys["train"][:1]
    (store / "split.json").write_text(json.dumps(keys))
    assert run(monkeypatch, "train", store, "--out", tmp_path / "run") == 2
    assert "two parts of the split" in said(capsys)
    assert not (tmp_path / "run").exists()


def test_a_store_of_another_version(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = json.loads((store / "manifest.json").read_text())
    (store / "manifest.json").write_text(json.dumps({**keys, "format": 99}))
    assert run(monkeypatch, "train", store, "--out", tmp_path / "run") == 2
    assert "a store of another version (format=99, allowed 1)" in said(capsys)


def test_an_unknown_key_names_the_nearest(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ("train", store, "--out", tmp_path / "run", "--set", "optimizer.lr=1")
    assert run(monkeypatch, *words) == 2
    assert "did you mean 'optimiser" in said(capsys)
    assert not (tmp_path / "run").exists()


def test_a_value_out_of_range(
    store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "train", store, "--out", tmp_path / "run", "--fold", "7") == 2
    assert "fold=7, allowed 0 to 1" in said(capsys)


def test_a_run_with_damaged_weights(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card: ModelCard = fake_card(name="m")
    save_model(tmp_path / "run", build_model("u2net-tiny", in_channels=2, out_channels=1), card)
    weights = tmp_path / "run" / "weights.safetensors"
    content = bytearray(weights.read_bytes())
    content[-9] ^= 4
    weights.write_bytes(content)
    words = ("predict", data, "--model", tmp_path / "run", "--out", tmp_path / "masks")
    assert run(monkeypatch, *words) == 2
    assert "weights.safetensors" in said(capsys)
    assert not (tmp_path / "masks").exists()


@pytest.mark.parametrize(
    ("error", "code", "text"),
    [
        (BatchError("2 failed", [("a", "bad"), ("b", "worse")]), 3, "2 failed"),
        (MachineError("no such device"), 4, "no such device"),
        (OSError(28, "No space left on device", "x.nii.gz"), 4, "x.nii.gz: No space left"),
        (MemoryError(), 4, "not enough memory"),
        (StoppedError("stopped", signal_number=15), 143, "stopped"),
        (GliomaskError("odd"), 1, "odd"),
        (ZeroDivisionError("Doe^John"), 1, "a bug in gliomask: ZeroDivisionError"),
    ],
)
def test_exit_codes(
    error: Exception,
    code: int,
    text: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def fail(**_options: object) -> None:
        raise error

    monkeypatch.setattr(cli, "app", fail)
    assert run(monkeypatch) == code
    shown = capsys.readouterr().err
    assert f"error: {text}" in shown
    assert ("  b: worse" in shown) == isinstance(error, BatchError)


@pytest.mark.parametrize("cause", [False, True])
def test_an_import_that_ctrl_c_ended_is_a_stop(
    cause: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_options: object) -> None:
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as interrupt:
            if cause:
                raise ImportError("half a module") from interrupt
            raise AttributeError("half a module")  # noqa: B904 (as libraries do)

    monkeypatch.setattr(cli, "app", fail)
    assert run(monkeypatch) == 130
    assert said(capsys) == "error: stopped"


def test_a_circle_of_causes_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = ValueError("a"), KeyError("b")
    first.__cause__, second.__cause__ = second, first

    def fail(**_options: object) -> None:
        raise first

    monkeypatch.setattr(cli, "app", fail)
    assert run(monkeypatch) == 1
    assert "a bug in gliomask" in said(capsys)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_a_request_to_stop(
    number: signal.Signals,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It comes while the first patient is written, and waits for the next moment to stop."""
    monkeypatch.setattr("gliomask.workflows.prepare.write_patient", interrupted(number))
    words = ("prepare", data, "--out", tmp_path / "store", "--workers", "1", "--folds", "2")
    assert run(monkeypatch, *words) == 128 + number
    assert said(capsys) == "error: stopped"
    assert [path.name for path in (tmp_path / "store" / "patients").iterdir()] == []


def interrupted(number: signal.Signals) -> Callable[..., None]:
    def write(*given: Any) -> None:
        signal.raise_signal(number)
        write_patient(*given)

    return write


def test_debug_shows_where_it_happened(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GLIOMASK_DEBUG", "")  # so that it is taken away again afterwards
    assert run(monkeypatch, "--debug", "inspect", "nowhere") == 2
    assert "Traceback" in capsys.readouterr().err


def test_predict_says_why_a_case_is_not_green_and_what_to_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    names = ("BraTS-GLI-00001-000", "BraTS-GLI-00002-000")
    for name in names:
        write_head(tmp_path / "in", name, head_volume())
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))
    assert run(monkeypatch, "predict", tmp_path / "in", "--out", tmp_path / "out") == 0
    shown = [line for line in capsys.readouterr().out.splitlines() if line]
    record = json.loads((tmp_path / "out" / f"{names[0]}.json").read_text())
    reasons = [r for r in record["reliability"]["reasons"] if r["level"] != "green"]
    assert reasons
    for reason in reasons:
        assert f"{reason['level'].upper()} {names[0]}: {reason['text']}" in shown
    assert shown[-1].startswith("open first (the least reliable of 2 cases): ")
    assert Path(shown[-1].partition(": ")[2]) in [tmp_path / "out" / f"{n}.html" for n in names]
    monkeypatch.chdir(tmp_path)
    assert run(monkeypatch, "predict", tmp_path / "in" / names[0], "--quick") == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[-1] == f"open: {names[0]}-masks/{names[0]}.html"
