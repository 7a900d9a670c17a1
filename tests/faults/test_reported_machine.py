"""What the machine refuses, and names that are no text: one line of error, no image in it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pydicom.data
import pytest

from tests.datasets import tiny
from tests.faults.situations import Command, box, scan

LOCKED = Path("/sys")
"""A folder that nobody may write to, root neither."""


@pytest.mark.skipif(not LOCKED.is_dir(), reason="no /sys on this system")
@pytest.mark.parametrize("command", ["predict", "score", "follow", "export", "prepare", "evaluate"])
def test_19_a_folder_that_can_not_be_written_to(
    command: str, gliomask: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr("gliomask.nets.licence_notice.announce_licence", lambda *_: None)
    monkeypatch.setattr("gliomask.workflows.export.announce_licence", lambda *_: None)
    image = scan(tmp_path / "p1_flair.nii.gz")
    first, later = box(tmp_path / "a" / "p1_seg.nii.gz"), box(tmp_path / "b" / "p1_seg.nii.gz")
    for number in range(4):
        tiny.brats(tmp_path / "set", f"BraTS2021_0000{number}", 1, 2, 4)
    inputs: dict[str, tuple[str | Path, ...]] = {
        "predict": (image,),
        "score": (first.parent, later.parent),
        "follow": (first, later),
        "export": ("u2netp-lgg",),
        "prepare": (tmp_path / "set", "--workers", "1"),
        "evaluate": (tmp_path / "set", "--model", "u2netp-lgg"),
    }
    said = gliomask(command, *inputs[command], "--out", LOCKED / "gliomask" / "out")
    assert said.code == 4
    assert said.line.startswith(f"error: {LOCKED}: can't be written to: ")


def test_20_a_folder_whose_name_is_no_utf_8(gliomask: Command, tmp_path: Path) -> None:
    place = tmp_path / os.fsdecode(b"M\xfcller")
    scan(place / "p1_flair.nii.gz")
    said = gliomask("predict", place, "--out", place / "masks", "--quick")
    assert said.code == 0
    assert "M\\xfcller" in said.out
    assert "base64" not in said.out + said.err
    assert (place / "masks" / "p1.html").is_file()


def test_a_reader_that_leaves_after_a_line(tmp_path: Path) -> None:
    """``gliomask inspect DATA | head -1``"""
    scan(tmp_path / "p1" / "p1_flair.nii.gz")
    words = [sys.executable, "-m", "gliomask", "inspect", str(tmp_path / "p1"), "--json"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 141


def test_a_dicomdir_named_alone(gliomask: Command, tmp_path: Path) -> None:
    found = pydicom.data.get_testdata_file("DICOMDIR")
    (tmp_path / "DICOMDIR").write_bytes(Path(str(found)).read_bytes())
    said = gliomask("inspect", tmp_path / "DICOMDIR")
    assert said.code == 2
    assert "a DICOMDIR, which contains no image but a list of other files" in said.line
    assert f"use its folder: {tmp_path}" in said.line
