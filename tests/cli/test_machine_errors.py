"""What the machine refuses: one line that names the place, exit code 4, nothing half written."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest

from gliomask.formats.nifti import write_nifti
from tests.commands import run
from tests.datasets import tiny
from tests.fakes import FakeModel, head_labels, head_volume, write_head

LOCKED = Path("/sys")
"""A folder that nobody may write to, root neither."""
pytestmark = pytest.mark.skipif(not LOCKED.is_dir(), reason="no /sys on this system")


@pytest.fixture(autouse=True)
def _fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gliomask.segmentation.segmenter.load_predictor", FakeModel(size=64))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for number in range(4):
        tiny.brats(tmp_path / "data", f"BraTS2021_0000{number}", 1, 2, 4)
    return tmp_path / "data"


def masks(folder: Path) -> list[Path]:
    """A mask of two time points."""
    found = []
    for name in ("a", "b"):
        found.append(folder / f"{name}.nii.gz")
        write_nifti(found[-1], head_labels(), head_volume().affine)
    return found


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line on stderr."""
    shown = capsys.readouterr()
    (line,) = [line for line in shown.err.splitlines() if line]
    assert line.isprintable()
    return line


@pytest.mark.parametrize("command", ["score", "prepare", "follow", "predict", "export", "demo"])
def test_a_folder_that_can_not_be_written_to(
    command: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs: dict[str, tuple[str | Path, ...]] = {
        "score": (data, copytree(data, tmp_path / "copy")),
        "prepare": (data, "--workers", "1"),
        "follow": (*masks(tmp_path),),
        "predict": (write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume()),),
        "export": ("u2netp-lgg",),
        "demo": ("--patients", "8"),
    }
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("gliomask.nets.licence_notice.announce_licence", lambda *_: None)
    monkeypatch.setattr("gliomask.workflows.export.announce_licence", lambda *_: None)
    words = (command, *inputs[command], "--out", LOCKED / "gliomask" / "out")
    assert run(monkeypatch, *words) == 4
    assert said(capsys).startswith(f"error: {LOCKED}: can't be written to: ")


def test_a_working_folder_that_can_not_be_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scans = write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume())
    monkeypatch.chdir(LOCKED)
    assert run(monkeypatch, "predict", scans) == 4
    assert said(capsys).startswith(f"error: {LOCKED}: can't be written to: ")


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """As on a disk that fills up: a write fails half-way, and the error names no file."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("command", ["score", "follow", "predict"])
def test_a_disk_that_is_full(
    command: str,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    inputs: dict[str, tuple[str | Path, ...]] = {
        "score": (data, copytree(data, tmp_path / "copy")),
        "follow": (*masks(tmp_path),),
        "predict": (write_head(tmp_path / "in", "BraTS-GLI-00001-000", head_volume()),),
    }
    out = tmp_path / "out"
    with no_file_over(200):
        assert run(monkeypatch, command, *inputs[command], "--out", out) == 4
    line = said(capsys)
    assert line.startswith(f"error: {tmp_path}/")
    assert line.endswith(": can't be written: File too large")
    assert ".writing-" not in line
    assert not out.exists()


def test_a_scan_that_may_not_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scan = tmp_path / "p1_flair.nii.gz"
    write_nifti(scan, head_volume().array[1], head_volume().affine)
    assert run(monkeypatch, "inspect", scan) == 0  # loads what it needs while it may
    capsys.readouterr()
    scan.chmod(0)
    before = os.geteuid()
    if before == 0:  # root may read anything
        os.seteuid(65534)
    try:
        readable = os.access(scan, os.R_OK, effective_ids=True)
        code = run(monkeypatch, "inspect", scan)
    finally:
        os.seteuid(before)
    if readable:
        pytest.skip("this user may read anything")
    assert code in (2, 4)
    line = capsys.readouterr().err.splitlines()[-1]
    assert "Permission denied" in line
    assert str(tmp_path) in line


UNDECODABLE = os.fsdecode(b"M\xfcller")


def test_a_name_that_is_no_utf_8_is_escaped_wherever_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    place = tmp_path / UNDECODABLE
    scans = write_head(place, "BraTS-GLI-00001-000", head_volume())
    assert run(monkeypatch, "inspect", place) == 0
    assert run(monkeypatch, "inspect", place, "--json") == 0
    assert run(monkeypatch, "predict", scans, "--out", place / "masks") == 0
    assert run(monkeypatch, "predict", scans, "--out", place / "masks") == 0
    shown = capsys.readouterr()
    assert "M\\xfcller" in shown.out
    (shown.out + shown.err).encode()
    page = (place / "masks" / "BraTS-GLI-00001-000.html").read_text(encoding="utf-8")
    record = (place / "masks" / "BraTS-GLI-00001-000.json").read_text(encoding="utf-8")
    assert "<html" in page
    assert "M\\\\xfcller" in record
    assert "completed by an earlier run" in shown.out


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        (("--no-report",), "M\\xfcller/scored"),
        pytest.param((), "report.html", marks=pytest.mark.slow),
    ],
)
def test_a_store_and_scores_in_a_folder_whose_name_is_no_utf_8(
    options: tuple[str, ...],
    shown: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = tmp_path / UNDECODABLE
    for number in range(4):
        tiny.brats(place / "data", f"BraTS2021_0000{number}", 1, 2, 4)
    data = place / "data"
    words = ("prepare", data, "--out", place / UNDECODABLE, "--workers", "1", "--folds", "2")
    assert run(monkeypatch, *words) == 0
    masks_to_score = (data, copytree(data, place / "copy"))
    assert run(monkeypatch, "score", *masks_to_score, "--out", place / "scored", *options) == 0
    assert shown in capsys.readouterr().out
    assert (place / "scored" / "provenance.json").is_file()
    training = ("train", place / UNDECODABLE, "--out", place / "run", "--set", "network=u2net-tiny")
    assert run(monkeypatch, *training) == 2
    assert "M\\xfcller/run" in capsys.readouterr().err.splitlines()[-1]


def test_a_name_with_a_line_end_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "predict", tmp_path / "a\n\x1b[2Jb\u202e") == 2
    line = said(capsys)
    assert "a \\x1b[2Jb\\u202e: no such file" in line


class CarrierError(Exception):
    """Carries what was being worked on, as exceptions of libraries do."""

    def __init__(self) -> None:
        super().__init__("Doe^Jane", np.arange(1000), "iVBORw0KGgo" * 100_000)


@pytest.mark.parametrize("debug", ["", "1"])
def test_an_unexpected_error_holds_no_image_and_no_name(
    debug: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_options: object, _control: object) -> None:
        raise CarrierError

    monkeypatch.setenv("GLIOMASK_DEBUG", debug)
    monkeypatch.setattr("gliomask.workflows.inspect.inspect", fail)
    assert run(monkeypatch, "inspect", "x") == 1
    shown = capsys.readouterr().err
    last = shown.splitlines()[-1]
    assert last.startswith("error: a bug in gliomask: CarrierError in cli/inspect.py line ")
    assert len(last) < 200
    assert "Doe" not in last
    assert ("Traceback" in shown) == bool(debug)
    assert len(shown) < 20_000


def gliomask(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "gliomask", *map(str, words)]


@pytest.mark.slow
def test_a_reader_that_leaves_ends_it_quietly(data: Path) -> None:
    """``gliomask inspect DATA | head -1``"""
    with subprocess.Popen(
        gliomask("inspect", data), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_without_a_command_the_help_is_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch) == 0
    shown = capsys.readouterr()
    assert "Usage: gliomask" in shown.out
    assert "  predict " in shown.out
    assert shown.err == ""


def test_a_dicomdir_alone_says_what_to_name_instead(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pydicom = pytest.importorskip("pydicom")
    found = Path(pydicom.data.get_testdata_file("DICOMDIR"))
    (tmp_path / "DICOMDIR").write_bytes(found.read_bytes())
    for command in ("inspect", "predict"):
        assert run(monkeypatch, command, tmp_path / "DICOMDIR") == 2
        line = said(capsys)
        assert "a DICOMDIR" in line
        assert line.endswith(f"use its folder: {tmp_path}")
