"""Comparison of our recognition of DICOM series with dcm-classifier (Iowa/NAMIC).

dcm-classifier needs a separate virtual environment, so each side writes its results to a file:

    PEER/bin/python benchmarks/peers/series.py peer FOLDER... > peer.json
    .venv/bin/python benchmarks/peers/series.py ours FOLDER... > ours.json
    .venv/bin/python benchmarks/peers/series.py table ours.json peer.json > table.md

``synthetic FOLDER`` writes studies with synthetic headers (``SYNTHETIC``) that both can read. A row
of the table is a series; series with the same name, timing and results share a row.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

KEYWORDS = ("StudyInstanceUID", "SeriesInstanceUID", "SeriesDescription", "ProtocolName",
            "EchoTime", "RepetitionTime", "InversionTime", "Manufacturer", "Modality")  # fmt: skip
OF_PEER = {"t1w": "t1", "t2w": "t2", "flair": "flair"}
"""The peer's classes -> our sequences; its classes do not distinguish contrast."""

SE = {"ScanningSequence": "SE", "SequenceVariant": "SK", "MRAcquisitionType": "2D", "FlipAngle": 90}
TSE = {**SE, "EchoTrainLength": 16, "FlipAngle": 150}
IR = {**TSE, "ScanningSequence": ["SE", "IR"], "SequenceVariant": ["SK", "SP", "MP"]}
GR = {"ScanningSequence": "GR", "SequenceVariant": "SP", "MRAcquisitionType": "3D", "FlipAngle": 15}
MP = {**GR, "ScanningSequence": ["GR", "IR"], "SequenceVariant": ["SP", "MP"], "FlipAngle": 9}
EPI = {"ScanningSequence": ["EP", "SE"], "SequenceVariant": "SK", "MRAcquisitionType": "2D",
       "FlipAngle": 90}  # fmt: skip


def timed(base: dict[str, Any], tr: float, te: float, ti: float | None = None) -> dict[str, Any]:
    """Header values of a pulse sequence with its timing."""
    values = {**base, "RepetitionTime": tr, "EchoTime": te}
    return values if ti is None else {**values, "InversionTime": ti}


SYNTHETIC: list[tuple[str, str, dict[str, Any]]] = [
    ("t1", "t1_mprage_sag_p2_iso", timed(MP, 2300, 2.98, 900)),
    ("t1", "AX T1", timed(SE, 500, 10)),
    ("t1", "", timed(SE, 500, 10)),
    ("t1", "", timed(MP, 2300, 2.98, 900)),
    ("t1", "Ax T1 FLAIR", timed(IR, 2000, 24, 860)),
    ("t1", "sT1W_3D_TFE", timed(GR, 8.2, 3.7)),
    ("t1", "3D BRAVO", timed(MP, 8.2, 3.2, 450)),
    ("t1", "AX T1 PRE", timed(SE, 600, 12)),
    ("t1", "t1_se_tra ohne KM", timed(SE, 600, 12)),
    ("t1ce", "AX T1 POST W/O FATSAT", timed(SE, 600, 12)),
    ("t1ce", "PRE-OP STEALTH T1 GAD", timed(MP, 2300, 2.98, 900)),
    ("t1ce", "T1W_3D_TFE +C", timed(GR, 8.2, 3.7)),
    ("t2", "Ax T2 FSE", timed(TSE, 4500, 98)),
    ("t2", "", timed(TSE, 4500, 98)),
    ("t2", "t2_space_sag", timed({**TSE, "MRAcquisitionType": "3D"}, 3200, 408)),
    ("flair", "AX T2 FLAIR", timed(IR, 9000, 120, 2500)),
    ("flair", "", timed(IR, 9000, 120, 2500)),
    ("flair", "t2_tirm_tra_dark-fluid", timed(IR, 9000, 89, 2500)),
    ("flair", "t2_space_dark-fluid_sag", timed({**IR, "MRAcquisitionType": "3D"}, 5000, 387, 1800)),
    ("flair", "3D FLAIR", timed({**IR, "MRAcquisitionType": "3D"}, 4800, 320, 1650)),
    ("none", "3D DIR", timed({**IR, "MRAcquisitionType": "3D"}, 7500, 320, 3000)),
    ("none", "", timed(IR, 4000, 60, 160)),
    ("none", "Ax STIR", timed(IR, 4000, 60, 160)),
    ("none", "Ax PD", timed(TSE, 3000, 15)),
    ("none", "Ax T2* GRE", timed({**GR, "MRAcquisitionType": "2D"}, 600, 20)),
    ("none", "SWI", timed(GR, 28, 20)),
    ("none", "TOF_3D_multi-slab", timed(GR, 21, 3.4)),
    ("none", "Localizer", timed({**GR, "MRAcquisitionType": "2D"}, 8, 3.7)),
    ("none", "T1 map", timed(GR, 15, 2)),
    ("none", "PSIR", timed(IR, 3000, 12, 400)),
    ("none", "C-SPINE T1 SAG", timed(SE, 550, 11)),
    ("none", "ep2d_perf", timed({**EPI, "ScanningSequence": ["EP", "GR"]}, 1500, 30)),
    ("none", "DWI b1000", timed(EPI, 5000, 90)),
    ("none", "T2 TSE SAG LWS", timed(TSE, 4000, 110)),
    ("ask", "AX T1", timed(TSE, 4500, 98)),
    ("ask", "FLAIR", timed(SE, 500, 10)),
    ("ask", "head", timed(GR, 8.2, 3.2)),
]
"""Correct result, SeriesDescription, other header values."""


def by_study(folders: list[Path]) -> dict[str, dict[str, list[Path]]]:
    """Study -> series -> files."""
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    studies: dict[str, dict[str, list[Path]]] = {}
    for path in sorted(p for folder in folders for p in folder.rglob("*") if p.is_file()):
        with contextlib.suppress(InvalidDicomError, OSError):
            header = dcmread(path, stop_before_pixels=True, specific_tags=list(KEYWORDS))
            if header.get("SeriesInstanceUID") and header.get("Modality") == "MR":
                study = studies.setdefault(str(header.get("StudyInstanceUID")), {})
                study.setdefault(str(header.SeriesInstanceUID), []).append(path)
    return studies


def peer(folders: list[Path]) -> list[dict[str, Any]]:
    """Results of dcm-classifier for each series."""
    from dcm_classifier.image_type_inference import ImageTypeClassifierBase
    from dcm_classifier.study_processing import ProcessOneDicomStudyToVolumesMappingBase
    from pydicom import dcmread

    rows = []
    for number, series in enumerate(by_study(folders).values()):
        for uid, files in series.items():
            row = {"uid": uid, "study": number, "files": len(files)}
            with tempfile.TemporaryDirectory() as place, contextlib.redirect_stdout(sys.stderr):
                for n, path in enumerate(files):
                    (Path(place) / f"{n:05d}.dcm").symlink_to(path.resolve())
                try:
                    study = ProcessOneDicomStudyToVolumesMappingBase(
                        place, inferer=ImageTypeClassifierBase()
                    )
                    study.run_inference()
                    results = [
                        part.get_series_modality() for part in study.series_dictionary.values()
                    ]
                    row["result"] = " or ".join(sorted(set(results))) or "unread"
                except Exception as problem:  # it raises whatever it meets
                    row["result"] = f"failed: {type(problem).__name__}"
            header = dcmread(files[0], stop_before_pixels=True, specific_tags=list(KEYWORDS))
            row["name"] = str(header.get("SeriesDescription", ""))
            rows.append(row)
    return rows


def ours(folders: list[Path]) -> list[dict[str, Any]]:
    """Results of gliomask for each volume of each series."""
    from gliomask.formats.dicom.series import survey_files
    from gliomask.studies.read_series import recognised

    rows: list[dict[str, Any]] = []
    for series in by_study(folders).values():
        for uid, files in series.items():
            survey = survey_files(files)
            for volume in survey.series:
                recognition, tags = recognised(volume).recognition, volume.tags
                result = recognition.sequence or ("ask" if recognition.ambiguous else "none")
                rows.append({
                    "uid": uid, "name": tags.description or tags.protocol, "result": result,
                    "why": recognition.rejected or "; ".join(recognition.evidence),
                    "maker": tags.manufacturer.split()[0] if tags.manufacturer else "",
                    "timing": [tags.repetition_time, tags.echo_time, tags.inversion_time],
                    "shape": list(volume.shape),
                })  # fmt: skip
            rows += [
                {"uid": uid, "name": file.tags.description or file.tags.protocol,
                 "result": "no volume", "why": file.reason,
                 "maker": file.tags.manufacturer.split(" ")[0], "timing": [
                     file.tags.repetition_time, file.tags.echo_time, file.tags.inversion_time]}
                for file in survey.refused
            ]  # fmt: skip
    return rows


def table(own: list[dict[str, Any]], others: list[dict[str, Any]]) -> str:
    """A Markdown table; series with the same name, timing and results are counted together."""
    peer_results = {row["uid"]: row["result"] for row in others}
    rows: Counter[tuple[str, ...]] = Counter()
    for row in own:
        timing = " / ".join("" if n is None else f"{n:.4g}" for n in row["timing"])
        rows[
            row["maker"], row["name"], timing, row["result"], peer_results.get(row["uid"], "unread")
        ] += 1
    lines = ["| maker | name | TR / TE / TI | series | ours | dcm-classifier |", "|" + "---|" * 6]
    lines += [
        f"| {maker} | {name} | {timing} | {count} | {own_result} | {other} |"
        for (maker, name, timing, own_result, other), count in sorted(rows.items())
    ]
    return "\n".join(lines)


def synthetic(folder: Path) -> None:
    """Writes the studies of ``SYNTHETIC``: 6 slices of noise each, with UIDs by their number."""
    import numpy as np
    from pydicom import Dataset
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, generate_uid

    noise = np.random.default_rng(0).integers(0, 1000, (6, 16, 16), np.uint16)
    for number, (_, description, tags) in enumerate(SYNTHETIC, 1):
        place = folder / f"{number:03d}"
        place.mkdir(parents=True)
        for k in range(6):
            ds, ds.file_meta = Dataset(), FileMetaDataset()
            ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
            ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
            ds.SOPInstanceUID = generate_uid(entropy_srcs=[f"{number} {k}"])
            ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
            ds.StudyInstanceUID = generate_uid(entropy_srcs=[f"study {number}"])
            ds.SeriesInstanceUID = generate_uid(entropy_srcs=[f"series {number}"])
            ds.FrameOfReferenceUID = generate_uid(entropy_srcs=[f"frame {number}"])
            ds.PatientID, ds.PatientName, ds.Modality = f"synthetic-{number}", "SYNTHETIC", "MR"
            ds.Manufacturer, ds.SeriesNumber, ds.InstanceNumber = "SIEMENS", number, k + 1
            ds.StudyDate, ds.SeriesDescription = "20200101", description
            ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND"]
            ds.PixelBandwidth, ds.ImagingFrequency, ds.NumberOfAverages = 200, 123.2, 1
            ds.SAR, ds.EchoNumbers, ds.SliceThickness, ds.PixelSpacing = 0.5, 1, 5, [14, 14]
            ds.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
            ds.ImagePositionPatient = [-112, -112, 5 * k]
            ds.Rows = ds.Columns = 16
            ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
            ds.BitsAllocated = ds.BitsStored = 16
            ds.HighBit, ds.PixelRepresentation = 15, 0
            ds.PixelData = noise[k].tobytes()
            for keyword, value in tags.items():
                setattr(ds, keyword, value)
            ds.save_as(place / f"{k:03d}.dcm", enforce_file_format=True)


def main() -> None:
    """The commands at the top of this file."""
    warnings.simplefilter("ignore")
    command, paths = sys.argv[1], [Path(arg) for arg in sys.argv[2:]]
    if command == "table":
        own, others = (json.loads(path.read_text(encoding="utf-8")) for path in paths)
        print(table(own, others))
    elif command == "synthetic":
        synthetic(paths[0])
    else:
        print(json.dumps({"peer": peer, "ours": ours}[command](paths), indent=1))


if __name__ == "__main__":
    main()
