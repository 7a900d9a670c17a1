"""``gliomask batch --engine``: the job of SLURM, and options that an engine does not use."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.commands import run
from tests.workflows.batches import write_heads, write_model


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder whose name a shell would split, with a scan and a model."""
    place = tmp_path / "it's here"
    write_heads(place / "in", 1)
    write_model(place / "model")
    return place


def words(place: Path, *more: str | Path) -> tuple[str | Path, ...]:
    return ("batch", place / "in", "--model", place / "model", "--engine", "slurm", *more)


def test_the_job_as_json_and_as_text(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = place / "out"
    assert run(monkeypatch, *words(place, "--out", out, "--json")) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["script"] == str(out / ".batch" / "job.sh")
    assert shlex.split(shown["submit"]) == ["sbatch", shown["script"]]
    assert shlex.split(shown["status"]) == ["gliomask", "batch", "--out", str(out), "--status"]
    assert run(monkeypatch, *words(place, "--out", out)) == 0
    text = capsys.readouterr().out
    assert f"submit it: {shown['submit']}" in text
    assert f"show the status: {shown['status']}" in text


@pytest.mark.parametrize(
    ("engine", "option", "hint"),
    [
        ("slurm", "--workers=2", "use --cpus"),
        ("slurm", "--shard=1/2", "use --tasks"),
        ("slurm", "--tries=5", "add it to the command in the job script"),
        ("slurm", "--limit-memory=2GB", "add it to the command in the job script"),
        ("slurm", "--ray-address=auto", "use --engine ray"),
        ("local", "--tasks=4", "use --engine slurm"),
        ("local", "--sbatch=--exclusive", "use --engine slurm"),
        ("local", "--ray-address=auto", "use --engine ray"),
        ("ray", "--cpus=2", "use --engine slurm"),
    ],
)
def test_an_option_that_the_engine_does_not_use(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    engine: str,
    option: str,
    hint: str,
) -> None:
    more = ("--out", place / "out", option, "--engine", engine)
    assert run(monkeypatch, "batch", place / "in", "--model", place / "model", *more) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"the engine {engine} does not use this option ({option.partition('=')[0]}=" in line
    assert line.endswith(f"; {hint}")
    assert not (place / "out").exists()


def test_a_folder_that_a_script_can_not_name_is_not_created(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, *words(place, "--out", place / 'o"q')) == 2
    assert "SLURM can't write there" in capsys.readouterr().err
    assert not (place / 'o"q').exists()
