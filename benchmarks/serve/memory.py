"""Peak memory of the server process and of its workers on a case of BraTS' size.

    python -m benchmarks.serve.memory [--study FOLDER]

The default job, and a correction of its mask. Peaks are those that the kernel counts (VmHWM).
"""

from __future__ import annotations

import argparse
import gzip
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.harness import load
from benchmarks.serve.processes import Peaks
from benchmarks.serve.studies import study
from benchmarks.tables import Report, Table, benchmark_parser, run_and_output
from gliomask.formats.nifti import read_header, read_nifti_labels, write_nifti
from tests.web.live import Server, served

_MB = 1e6
_WORKER, _NETWORK = "spawn_main", "mnn_child"


def measure(options: argparse.Namespace, place: Path) -> Report:
    """The peaks of one default job, then those of a correction."""
    rows = []
    source = study(options.study, place / "study")
    with served(place / "data", "--limit", "job_minutes=30") as server:
        with Peaks(server.process.pid) as peaks:
            upload = server.upload(source)
            job = server.ended(server.submit(upload), 1800)
        assert job["state"] == "done", job
        rows += _rows("default job", peaks)
        with Peaks(server.process.pid) as peaks:
            correct(server, job["id"])
        rows += _rows("correction", peaks)
    columns = ("during", "process", "peak MB", "target MB")
    note = f"voxels: {' x '.join(map(str, _shape(source)))}, {len(list(source.iterdir()))} images"
    return Report({"load": load()}, (Table("peak memory", columns, tuple(rows)),), (note,))


def correct(server: Server, job: str) -> None:
    """Draws a voxel on the newest mask of a job and saves it."""
    place = f"/jobs/{job}"
    (case,) = server.client.get(f"{place}/corrections").json()["cases"]
    content = drawn(server.client.get(f"{place}/layers/current").content, len(case["regions"]))
    answer = server.client.put(
        f"{place}/correction", params={"base": case["sha256"]}, content=content
    )
    assert answer.status_code == 201, answer.text


def drawn(mask: bytes, number: int, voxel: int = 0) -> bytes:
    """A mask (NIfTI, gzip) in which one voxel has another number."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "mask.nii.gz"
        path.write_bytes(mask)
        labels, affine = read_nifti_labels(path)
        labels = labels.astype(np.uint8)
        labels.flat[voxel] = number
        write_nifti(Path(folder) / "drawn.nii", labels, affine)
        return gzip.compress((Path(folder) / "drawn.nii").read_bytes(), 1)


def _rows(during: str, peaks: Peaks) -> list[tuple[str, str, float, float | None]]:
    server = peaks.peaks[peaks.root]
    return [
        (during, "server", server / _MB, 150.0),
        (during, "worker", peaks.of(_WORKER) / _MB, 500.0),
        (during, "network's processes, each", peaks.of(_NETWORK) / _MB, None),
        (during, "all processes together", peaks.together / _MB, None),
    ]


def _shape(source: Path) -> tuple[int, ...]:
    return read_header(sorted(source.iterdir())[0]).shape


def main() -> None:
    """Measures and prints."""
    parser = benchmark_parser(__doc__)
    parser.add_argument("--study", type=Path, help="folder of one case; else a synthetic one")
    run_and_output(measure, parser.parse_args())


if __name__ == "__main__":
    main()
