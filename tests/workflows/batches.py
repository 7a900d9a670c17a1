"""Heads and a tiny model with drawn weights, for batches that run as people run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from gliomask.core.slices import VERSION
from gliomask.nets.u2net import build_model
from gliomask.nets.weights import save_model
from tests.fakes import fake_card, head_volume, write_head

ROOT = Path(__file__).parents[2]


def write_model(folder: Path) -> Path:
    """A network with drawn weights and the threshold at which it marks half of a head."""
    torch.manual_seed(3)
    network = build_model("u2net-tiny", in_channels=2, out_channels=1)
    card = fake_card(name="tiny", size=32, preprocess={"version": VERSION}, threshold=0.544)
    save_model(folder, network, card)
    return folder


def write_heads(folder: Path, count: int) -> list[str]:
    """Heads that differ in their values: their ids."""
    names = [f"BraTS-GLI-{n:05d}-000" for n in range(count)]
    for n, name in enumerate(names):
        volume = head_volume()
        volume.array[:, 10:12, 5:8, 2:4] += 10 * (n + 1)
        write_head(folder, name, volume)
    return names


def environment() -> dict[str, str]:
    """That a command of this checkout runs in, with one thread."""
    paths = [str(ROOT / "src"), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}


def start(*words: str | Path) -> subprocess.Popen[str]:
    """Starts ``gliomask batch``."""
    command = [sys.executable, "-P", "-m", "gliomask", "batch", *map(str, words)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment(), stdout=pipe, stderr=pipe, text=True)


def run(*words: str | Path) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of ``gliomask batch``."""
    with start(*words) as process:
        out, err = process.communicate(timeout=600)
        return process.returncode, out, err


def status(out: Path) -> dict[str, list[str]]:
    """What ``--status`` says."""
    code, text, err = run("--out", out, "--status", "--json")
    assert code == 0, err
    found: dict[str, list[str]] = json.loads(text)
    return found


def workers_of(pid: int) -> list[int]:
    """The worker processes of a batch: sessions of their own."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        state, parent, session = fields[0], int(fields[1]), int(fields[3])
        if parent == pid and session == int(path.parent.name) and state != "Z":
            found.append(session)
    return found


def wait_for(met: Callable[[], bool], most_s: float = 300.0) -> None:
    end = time.monotonic() + most_s
    while not met():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


def check_whole(out: Path, names: list[str], masks: dict[str, bytes]) -> None:
    """All cases has all its files, and the mask that ``predict`` writes; nothing else is there."""
    expected = {f"{name}{end}" for name in names for end in (".json", "_mask.nii.gz")}
    there = {path.name for path in out.iterdir() if not path.name.startswith(".writing-")}
    assert there == expected | {"cases.csv", "batch.html", ".batch"}
    for name in names:
        record = json.loads((out / f"{name}.json").read_text())
        assert record["files"] == [f"{name}_mask.nii.gz"]
        assert (out / f"{name}_mask.nii.gz").read_bytes() == masks[name]
