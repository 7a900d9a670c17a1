"""How long ``gliomask predict`` takes from a cold start to files, and what memory it needs.

    python benchmarks/predict_speed.py --model RUN [--quick] [--case FOLDER] [--rounds 1] [--json]

Each measurement is a fresh process of the command line with its usual outputs. Two examinations:

- ``nifti``: four sequences of BraTS' size (240 x 240 x 155) as ``.nii.gz``; a folder that is
  named, or a head that is made here;
- ``dicom``: a study of the sequences of the model, one of them with 200 slices of 256 x 256 and
  the others on the same grid, made here.

Wall and processor seconds are those of the whole process, the peak is its resident memory, and the
steps are those that the record of the case tells. Set OMP_NUM_THREADS=1 for figures on one core.
What the heads show is made up: nothing is learned of accuracy.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from gliomask.formats.nifti import write_nifti

BRATS_SHAPE, DICOM_SHAPE = (240, 240, 155), (256, 256, 200)
KINDS = {"t1": "t1n", "t1ce": "t1c", "t2": "t2w", "flair": "t2f"}
BRIGHT = {"t1": -60.0, "t1ce": 40.0, "t2": 120.0, "flair": 150.0}
"""How much brighter than the head the tumour is."""
TAGS: dict[str, dict[str, Any]] = {
    "t1": {"SeriesDescription": "Ax T1", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "t1ce": {"SeriesDescription": "Ax T1 +C", "RepetitionTime": 500.0, "EchoTime": 10.0},
    "t2": {"SeriesDescription": "Ax T2", "RepetitionTime": 4000.0, "EchoTime": 98.0},
    "flair": {"SeriesDescription": "Ax FLAIR", "RepetitionTime": 9000.0, "EchoTime": 120.0},
}
_ROOT = "1.2.826.0.1.3680043.8.498.77"
_UNITS = 1024 if sys.platform != "darwin" else 1024 * 1024
Numbers = npt.NDArray[np.int16]


@dataclass(frozen=True)
class Measured:
    """One run of the command.

    Attributes:
        examination: what was segmented.
        wall_s, cpu_s: of the whole process.
        peak_mib: its resident memory at most.
        steps_s: step -> seconds, as the record tells; the rest is starting and writing.
        written_mib: of all its files.
        load: of the machine over the last minute, before it began.
    """

    examination: str
    wall_s: float
    cpu_s: float
    peak_mib: float
    steps_s: dict[str, float]
    written_mib: float
    load: float


def made_head(shape: tuple[int, int, int], sequence: str) -> Numbers:
    """An ellipsoid of noisy tissue with a ball in it, right of the middle, in an axial order."""
    rng = np.random.default_rng(len(sequence))
    grid = np.meshgrid(*(np.linspace(-1, 1, n, dtype=np.float32) for n in shape), indexing="ij")
    head = (grid[0] / 0.7) ** 2 + (grid[1] / 0.85) ** 2 + (grid[2] / 0.8) ** 2 < 1
    ball = (grid[0] - 0.25) ** 2 + (grid[1] - 0.1) ** 2 + (grid[2] - 0.2) ** 2 < 0.04
    image = np.where(head, 300 + 30 * rng.standard_normal(shape, np.float32), 0)
    return np.maximum(image + BRIGHT[sequence] * ball, 0).astype(np.int16)


def make_nifti(folder: Path) -> Path:
    """A case in the layout of BraTS 2023: its folder."""
    name, affine = "BraTS-GLI-90000-000", np.diag([-1.0, -1, 1, 1])
    for sequence, kind in KINDS.items():
        image = made_head(BRATS_SHAPE, sequence).astype(np.float32)
        write_nifti(folder / name / f"{name}-{kind}.nii.gz", image, affine)
    return folder / name


def make_dicom(folder: Path, sequences: tuple[str, ...]) -> Path:
    """A study with a series for each of these sequences: its folder."""
    for number, sequence in enumerate(sequences, 1):
        image = made_head(DICOM_SHAPE, sequence)
        (folder / sequence).mkdir(parents=True)
        for k in range(DICOM_SHAPE[2]):
            path = folder / sequence / f"{k:04}.dcm"
            _write_slice(path, np.ascontiguousarray(image[:, :, k].T), k, number, sequence)
    return folder


def _write_slice(path: Path, pixels: Numbers, k: int, number: int, sequence: str) -> None:
    from pydicom import FileDataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, ExplicitVRLittleEndian, MRImageStorage

    meta = FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = ExplicitVRLittleEndian, MRImageStorage
    meta.MediaStorageSOPInstanceUID = UID(f"{_ROOT}.{number}.{k + 1}")
    image = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
    image.SOPClassUID, image.SOPInstanceUID = MRImageStorage, meta.MediaStorageSOPInstanceUID
    image.StudyInstanceUID, image.SeriesInstanceUID = _ROOT, f"{_ROOT}.{number}"
    image.FrameOfReferenceUID, image.Modality = f"{_ROOT}.99", "MR"
    image.PatientID = image.PatientName = "SYNTHETIC"
    image.StudyDate, image.StudyTime, image.SeriesNumber = "20010203", "101112", number
    image.ImageType, image.InstanceNumber = ["ORIGINAL", "PRIMARY", "M", "SE"], k + 1
    image.ScanningSequence, image.MRAcquisitionType = "SE", "3D"
    image.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    image.ImagePositionPatient, image.PixelSpacing = [-128, -128, k - 100], [1, 1]
    image.SliceThickness = 1
    image.Rows, image.Columns, image.SamplesPerPixel = *pixels.shape, 1
    image.PhotometricInterpretation, image.PixelRepresentation = "MONOCHROME2", 1
    image.BitsAllocated, image.BitsStored, image.HighBit = 16, 16, 15
    image.PixelData = pixels.astype("<i2").tobytes()
    for keyword, value in TAGS[sequence].items():
        setattr(image, keyword, value)
    if sequence == "flair":
        image.InversionTime = 2400.0
    image.save_as(path, enforce_file_format=True)


def measure(name: str, place: Path, options: argparse.Namespace) -> Measured:
    """Runs the command once in a process of its own."""
    with tempfile.TemporaryDirectory() as out:
        words = [sys.executable, "-m", "gliomask", "predict", str(place), "--out", out]
        words += ["--model", options.model, "--device", "cpu", *["--quick"][: options.quick]]
        load, start = os.getloadavg()[0], time.perf_counter()
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - start
        if process.returncode:
            raise SystemExit(f"{name}: the command ended with {process.returncode}")
        (record,) = (json.loads(path.read_text()) for path in Path(out).glob("*.json"))
        size = sum(path.stat().st_size for path in Path(out).rglob("*") if path.is_file())
    return _measured(name, wall, used, record["timings_s"], size, load)


def _measured(
    name: str, wall: float, used: resource.struct_rusage, steps: dict[str, float], *rest: float
) -> Measured:
    size, load = rest
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss * _UNITS / 2**20
    return Measured(name, wall, cpu, peak, steps, size / 2**20, load)


def print_table(measured: list[Measured]) -> None:
    """A line for each run."""
    print(f"{'':8}{'wall s':>8}{'CPU s':>8}{'peak MiB':>10}{'files MiB':>11}{'load':>6}  steps")
    for one in measured:
        steps = ", ".join(f"{step} {seconds:.1f}" for step, seconds in one.steps_s.items())
        print(
            f"{one.examination:8}{one.wall_s:8.1f}{one.cpu_s:8.1f}{one.peak_mib:10.0f}"
            f"{one.written_mib:11.1f}{one.load:6.1f}  {steps}"
        )


def main() -> None:
    """Prints a table, or JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True, help="a run folder")
    parser.add_argument("--case", type=Path, help="a folder with four sequences, instead of ours")
    parser.add_argument("--quick", action="store_true", help="as the command's own")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    known = tuple(json.loads((Path(options.model) / "card.json").read_text())["sequences"])
    with tempfile.TemporaryDirectory() as place:
        nifti = options.case or make_nifti(Path(place) / "nifti")
        examinations = {"nifti": nifti, "dicom": make_dicom(Path(place) / "dicom", known)}
        measured = [
            measure(name, path, options)
            for _ in range(options.rounds)
            for name, path in examinations.items()
        ]
    if options.json:
        print(json.dumps([asdict(one) for one in measured], indent=1))
    else:
        print_table(measured)


if __name__ == "__main__":
    main()
