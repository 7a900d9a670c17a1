"""``doctor`` on this machine, and on installations that are broken in one place."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gliomask.cli import main as cli
from gliomask.cli.render import plain
from gliomask.config import shipped
from gliomask.inference.engines.checkup import Engines, engine_findings
from gliomask.inference.trial import TOLERANCE, Proof, trial_card, write_trial
from gliomask.machine.checkup import GIB, Finding
from gliomask.machine.folders import Folder
from gliomask.machine.memory import Memory
from gliomask.machine.packages import Package
from gliomask.workflows import doctor as doctors
from gliomask.workflows.doctor import Checkup, DoctorOptions, doctor

WORKS = Proof("torch", "2.13", "", 1e-6)
ABSENT = Proof("mnn", None, "not installed (pip install MNN)")
WRONG = Proof("mnn", "3.6", "its output differs by 0.5, allowed 0.002", 0.5)


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Checkup:
    return doctor(DoctorOptions(out=tmp_path_factory.mktemp("results")))


@pytest.fixture(autouse=True)
def _at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of the tests may be one that can't be written to."""
    monkeypatch.chdir(tmp_path)


def levels(found: Checkup) -> dict[str, str]:
    return {one.name: one.level for one in found.findings}


def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engines are tried once, above."""
    engines = Engines((WORKS,), "torch on cpu", "the fastest here", "", 1)
    found = (engine_findings(engines), engines)
    monkeypatch.setattr(doctors, "_check_engines", lambda: found)


def test_this_machine(here: Checkup) -> None:
    assert here.engines is not None
    assert {proof.name for proof in here.engines.proofs} >= {"torch", "mnn"}
    for proof in here.engines.proofs:
        assert proof.works
        assert proof.difference is not None
        assert proof.difference < TOLERANCE
    assert here.engines.chosen is not None
    assert {one.level for one in here.findings if one.part in ("packages", "engines")} == {"ok"}
    assert levels(here)["browser viewer"] == "ok"
    shown = json.loads(json.dumps(here, default=plain))
    assert shown["processors"]["present"] >= 1
    assert shown["findings"][0]["name"] == "Python"


def test_a_broken_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails() -> None:
        raise OSError("libtorch_cpu.so: cannot open shared object file")

    monkeypatch.setattr(doctors, "read_gpus", fails)
    found = doctor()
    (broken,) = found.broken
    assert (broken.name, broken.found) == ("torch", "can't be imported")
    assert "libtorch_cpu.so" in broken.remark
    assert found.engines is None


def test_memory_and_disk_that_do_not_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fast(monkeypatch)
    monkeypatch.setattr(doctors, "read_memory", lambda: Memory(2 * GIB, GIB // 2))
    full = Folder(Path("/tmp"), 1000, None)  # noqa: S108
    monkeypatch.setattr(doctors, "try_temporary", lambda: full)
    (tmp_path / "file").write_text("")
    found = doctor(DoctorOptions(out=tmp_path / "file" / "out"))
    assert [one.name for one in found.broken] == ["available", "temporary files", "results"]
    assert "Not a directory" in found.broken[-1].remark


def test_a_model_that_is_damaged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Included models come first, then those that were added."""
    monkeypatch.setattr(shipped, "HOME", tmp_path / "models")
    assert doctors._models() == ()
    for name in ("good", "bad"):
        write_trial(tmp_path / "models" / name, trial_card("u2net-tiny", 32))
    write_trial(tmp_path / "own" / "added", trial_card("u2net-tiny", 32))
    monkeypatch.setenv("GLIOMASK_MODELS", str(tmp_path / "own"))
    tmp_path = tmp_path / "models"
    weights = tmp_path / "bad" / "weights.safetensors"
    weights.write_bytes(weights.read_bytes()[:-4] + b"\0\0\0\1")
    bad, good, added = doctors._models()
    assert (added.name, added.level) == ("model added", "ok")
    assert (bad.name, bad.level) == ("model bad", "breaks")
    assert "checksum" in bad.remark
    assert bad.remark.endswith("; install gliomask again")
    assert (good.level, good.found) == ("ok", "u2net-tiny")


def test_an_engine_is_missed_only_where_none_works() -> None:
    absent, works, used = engine_findings(Engines((ABSENT, WORKS), "torch on cpu", "why", "", 2))
    assert [one.level for one in (absent, works, used)] == ["ok", "ok", "ok"]
    absent, none = engine_findings(Engines((ABSENT,), None, "no engine", "", 2))
    assert (absent.level, none.level) == ("note", "breaks")


def test_an_engine_that_would_be_used_and_is_wrong_breaks() -> None:
    wrong, works, used = engine_findings(
        Engines((WRONG, WORKS), "MNN 3.6", "the fastest", WRONG.problem, 2)
    )
    assert (wrong.level, works.level) == ("note", "ok")
    assert used == Finding("engines", "to be used", "breaks", "MNN 3.6", WRONG.problem)


@pytest.mark.parametrize(("version", "code"), [("2.13.0", 0), ("2.9.1", 4), (None, 4)])
def test_the_command(
    version: str | None,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fast(monkeypatch)
    torch = Package("torch", ">=2.10", version)
    monkeypatch.setattr(doctors, "core_packages", lambda: (torch,))
    for words in (["doctor"], ["doctor", "--json"]):
        monkeypatch.setattr(sys, "argv", ["gliomask", *words])
        with pytest.raises(SystemExit) as stop:
            cli.main()
        assert stop.value.code == code
        shown = capsys.readouterr()
        assert ("error: packages, torch" in shown.err) is (code == 4)
    assert json.loads(shown.out)["packages"][0]["found"] == version


def test_it_needs_nothing_heavy_to_begin() -> None:
    """What it is there to judge may be broken."""
    code = "import sys, gliomask.workflows.doctor as d; print('torch' in sys.modules, d.doctor)"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith("False")
