"""Prediction within a bound of memory, by real commands in processes of their own."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gliomask.errors import CaseError, MachineError
from gliomask.formats.nifti import write_nifti
from gliomask.inference import memory_plan as bounded
from gliomask.inference.memory_plan import Share, check_fits, share_of
from gliomask.nets.cards import read_card
from gliomask.studies.find import survey
from gliomask.workflows.predict import PredictOptions, predict_files
from gliomask.workflows.watch import WatchOptions, watch
from tests.inference.test_engines import saved

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux limits memory")
MIB = 2**20
COMMAND = """
import sys
from pathlib import Path
from gliomask.cli.main import main
try:
    main()
finally:
    # Not ru_maxrss, which begins with what the starting process held.
    (line,) = (l for l in Path("/proc/self/status").read_text().split("\\n") if "VmHWM" in l)
    print("peak", int(line.split()[1]) * 1024, file=sys.stderr)
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("model"), regions=1)


def scan(folder: Path, shape: tuple[int, int, int]) -> Path:
    name = "BraTS-GLI-00001-000"
    for kind in ("t1n", "t1c"):
        image = np.zeros(shape, np.float32)
        inner = tuple(slice(n // 6, -(n // 6)) for n in shape)
        noise = np.random.default_rng(0).normal(100, 10, image[inner].shape)
        image[inner] = noise.astype(np.float32)
        write_nifti(folder / name / f"{name}-{kind}.nii.gz", image, np.eye(4))
    return folder / name


def test_a_command_stays_below(model: Path, tmp_path: Path) -> None:
    place = scan(tmp_path / "in", (96, 96, 40))
    words = ["predict", str(place), "--model", str(model), "--out", str(tmp_path / "out")]
    bound = "450MiB"
    done = subprocess.run(
        [sys.executable, "-c", COMMAND, *words, "--write", "nifti", "--limit-memory", bound],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stderr.split("peak ")[1]) < 450 * MIB
    assert list((tmp_path / "out").glob("*_mask.nii.gz"))


def test_what_would_not_fit_is_refused_before_it_is_read(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = scan(tmp_path / "in", (64, 64, 30))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    monkeypatch.setattr(bounded, "resident_bytes", lambda: 100 * MIB)
    monkeypatch.setattr(bounded, "_VOXEL_BYTES", 100_000)
    options = PredictOptions.model_validate(
        {"inputs": (place,), "out": tmp_path / "out", "model": str(model), "device": "cpu"}
        | {"limit_memory": "8GB"}
    )
    with pytest.raises(CaseError, match=r"the scan needs more memory \(`limit_memory`=7629 MiB, "):
        predict_files(options)
    assert not list(tmp_path.glob("out/*"))
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_a_watched_folder_is_held_to_the_bound_too(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(tmp_path / "in", (32, 32, 8))
    within = []

    def look(*given: Any) -> Any:
        within.append(resource.getrlimit(resource.RLIMIT_DATA)[0])
        return survey(*given)

    monkeypatch.setattr("gliomask.segmentation.folder.survey", look)
    before = resource.getrlimit(resource.RLIMIT_DATA)[0]
    keys = {"out": tmp_path / "out", "model": str(model), "write": ("nifti",), "device": "cpu"}
    options = PredictOptions.model_validate({**keys, "limit_memory": "16GB"})
    asked = WatchOptions(folder=tmp_path / "in", predict=options, every_s=0, scans=2)
    assert [len(result.cases) for result in watch(asked)] == [1]
    assert within != [before]
    assert 0 < within[0] < 64 * 1024 * MIB
    assert resource.getrlimit(resource.RLIMIT_DATA)[0] == before


@pytest.mark.parametrize("threads", [1, 2, 8])
def test_the_limit_that_a_refusal_states_is_enough(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int
) -> None:
    monkeypatch.setattr(bounded, "resident_bytes", lambda: 100 * MIB)
    monkeypatch.setattr(bounded, "usable_threads", lambda: threads)
    monkeypatch.setattr(bounded, "_VOXEL_BYTES", 20_000)
    (case,) = survey([scan(tmp_path / "in", (64, 64, 30))])[0]
    card = read_card(model / "card.json")
    with pytest.raises(CaseError) as refused:
        check_fits(case, share_of(card, 600 * MIB))
    assert refused.value.found == "600 MiB"
    stated = int(str(refused.value.allowed).removeprefix("about ").removesuffix(" MiB or more"))
    check_fits(case, share_of(card, stated * MIB))
    with pytest.raises(CaseError):
        check_fits(case, share_of(card, int(stated * 0.7) * MIB))


def test_threads_leave_half_of_the_room(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "resident_bytes", lambda: 100 * MIB)
    monkeypatch.setattr(bounded, "usable_threads", lambda: 8)
    # 48 MiB, 96,397 weights of 12 bytes and 64 x 64 pixels of 2,048: 57.1 MiB a thread.
    each = 48 * MIB + 96_397 * 12 + 64 * 64 * 2048
    card = read_card(model / "card.json")
    # 400 MiB are left, half for them
    few, all_threads = 610 * MIB, 2000 * MIB
    assert share_of(card, few) == Share(3, few - 3 * each, few, 8 * each)
    assert share_of(card, all_threads) == Share(8, all_threads - 8 * each, all_threads, 8 * each)
    with pytest.raises(MachineError, match="the network u2net-tiny needs more memory"):
        share_of(card, 300 * MIB)
