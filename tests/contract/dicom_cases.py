"""The table: each kind of odd DICOM, what three other readers make of it, and what we do.

The verdicts are those of GDCM, dcm2niix and highdicom: R for right, W for wrong, - for a file that
the reader can't read.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from pydicom import Dataset, Sequence
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    EnhancedMRColorImageStorage,
    GrayscaleSoftcopyPresentationStateStorage,
    JPEG2000Lossless,
    LegacyConvertedEnhancedMRImageStorage,
    MultiFrameGrayscaleWordSecondaryCaptureImageStorage,
    SecondaryCaptureImageStorage,
)

from tests.contract.dicom_judges import Array, Truth
from tests.contract.dicom_makers import (
    PLAN,
    Case,
    Make,
    beside,
    classic_frames,
    decimal_comma,
    each,
    in_half,
    in_one_file,
    in_syntax,
    lacking,
    mosaic,
    moved,
    of_class,
    other_class,
    other_size,
    rewritten,
    rounded,
    setting,
    shift,
    table,
    unchanged,
    without_groups,
    without_meta,
    without_slice,
)
from tests.formats.dicom.made import SAGITTAL, oblique, pixels, save, series

STORED: Array = pixels(PLAN)
TWELVE = (1 << 12) - 1
SAGITTAL_PLAN = replace(PLAN, directions=SAGITTAL)
OBLIQUE = replace(PLAN, directions=oblique(17))
PLACES = ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing")
PIXELS = ("PixelData", "Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit",
          "PixelRepresentation", "SamplesPerPixel", "PhotometricInterpretation")  # fmt: skip
SLICES: Array = np.arange(6).reshape(6, 1, 1)
SCALED: Array = (SLICES + 0.5) * STORED + SLICES


def directions(plan: object, first: float, second: float) -> Make:
    """Directions of other lengths than 1."""
    assert isinstance(plan, type(PLAN))
    lengths = np.repeat([first, second], 3)
    values = [round(float(n), 8) for n in np.array(plan.directions) * lengths]
    return each(lambda k, d: setattr(d, "ImageOrientationPatient", values), plan)


def inverted(k: int, dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"
    dataset.BitsStored, dataset.HighBit = 12, 11
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -10


def twelve_bits(k: int, dataset: Dataset) -> None:
    dataset.BitsStored, dataset.HighBit = 12, 11


def real(k: int, dataset: Dataset) -> None:
    del dataset.PixelData, dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation
    dataset.BitsAllocated = 32
    dataset.FloatPixelData = (STORED[k] + 0.5).astype("<f4").tobytes()


def of_12_bits(k: int, dataset: Dataset) -> None:
    """Two pixels in three bytes."""
    even, odd = STORED[k].ravel()[::2], STORED[k].ravel()[1::2]
    packed = np.stack([even & 255, (even >> 8) | ((odd & 15) << 4), odd >> 4], axis=-1)
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 12, 12, 11
    dataset.PixelData = packed.astype(np.uint8).tobytes()


def left_aligned(k: int, dataset: Dataset) -> None:
    dataset.BitsStored, dataset.HighBit = 12, 15
    dataset.PixelData = (STORED[k] << 4).astype("<u2").tobytes()


def scale_of_slice(k: int, dataset: Dataset) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = k + 0.5, k


def scale_of_frame(dataset: Dataset) -> None:
    for k, groups in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item = Dataset()
        item.RescaleSlope, item.RescaleIntercept, item.RescaleType = k + 0.5, k, "US"
        groups.PixelValueTransformationSequence = Sequence([item])


def scale_of_file(dataset: Dataset) -> None:
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -10


def one_slice(**tags: float) -> Make:
    plan = replace(PLAN, slices=1)

    def change(k: int, dataset: Dataset) -> None:
        for keyword, value in tags.items():
            setattr(dataset, keyword, value)

    return each(change, plan)


def another_jpeg_size(folder: Path) -> Truth:
    plan = replace(PLAN, rows=40, columns=48)
    slices = series(plan, pixels(plan))
    for dataset in slices:
        dataset.compress(JPEG2000Lossless, generate_instance_uid=False)
        dataset.Rows = 44
    save(folder, slices)
    return Truth(plan, pixels(plan))


def every_place_twice(folder: Path) -> Truth:
    def later() -> list[Dataset]:
        return series(PLAN, pixels(PLAN, 5), AcquisitionNumber=2)

    return beside(later)(folder)


READ: dict[str, Case] = {
    # headers
    "no SeriesInstanceUID": Case(lacking("SeriesInstanceUID"), "RR-"),
    "no StudyInstanceUID": Case(lacking("StudyInstanceUID"), "RRR"),
    "no SOPInstanceUID": Case(lacking("SOPInstanceUID"), "RRR"),
    "one SOPInstanceUID for all": Case(setting(SOPInstanceUID="1.2.3.4"), "RRR"),
    "PatientID in capitals in half": Case(
        in_half(lambda k, d: setattr(d, "PatientID", "p1")), "RRR"
    ),
    "no PatientID in half": Case(in_half(lambda k, d: delattr(d, "PatientID")), "RRR"),
    "another StudyInstanceUID in half": Case(
        in_half(lambda k, d: setattr(d, "StudyInstanceUID", "1.2.3")), "RRR"
    ),
    "no EchoTime in half": Case(in_half(lambda k, d: delattr(d, "EchoTime")), "RWR"),
    "no ImageType in half": Case(in_half(lambda k, d: delattr(d, "ImageType")), "RRR"),
    "secondary captures of MR": Case(setting(SOPClassUID=SecondaryCaptureImageStorage), "RRR"),
    "a presentation state among them": Case(
        beside(other_class(GrayscaleSoftcopyPresentationStateStorage, *PLACES, *PIXELS)), "RR-"
    ),
    "a screenshot among them": Case(
        beside(other_class(SecondaryCaptureImageStorage, *PLACES)), "-R-"
    ),
    "no preamble, no meta information": Case(rewritten(without_meta), "RR-"),
    "no Modality, FrameOfReferenceUID, SliceThickness, InstanceNumber": Case(
        lacking("Modality", "FrameOfReferenceUID", "SliceThickness", "InstanceNumber"), "RR-"
    ),
    # how pixels are stored
    "deflated": Case(each(unchanged, syntax=DeflatedExplicitVRLittleEndian), "R-R"),
    "no HighBit": Case(lacking("HighBit"), "RRR"),
    "HighBit 15 of 12 bits": Case(setting(BitsStored=12), "RRR"),
    "HighBit 11 of 16 bits": Case(setting(HighBit=11), "RRR"),
    "no BitsStored": Case(lacking("BitsStored"), "RR-"),
    "17 of 16 bits": Case(setting(BitsStored=17), "RR-"),
    "BitsStored of each slice": Case(in_half(twelve_bits), "RRR"),
    "no PixelRepresentation": Case(lacking("PixelRepresentation"), "RR-"),
    "no SamplesPerPixel": Case(lacking("SamplesPerPixel"), "RR-"),
    "no PhotometricInterpretation": Case(lacking("PhotometricInterpretation"), "RR-"),
    "NumberOfFrames 0": Case(setting(NumberOfFrames=0), "RRR"),
    "MONOCHROME1": Case(each(inverted, values=2.0 * (TWELVE - STORED) - 10), "RWR"),
    "MONOCHROME1, signed": Case(
        each(
            lambda k, d: setattr(d, "PhotometricInterpretation", "MONOCHROME1"),
            stored=STORED - 2000,
            values=-1 - (STORED - 2000),
        ),
        "RWR",
    ),
    "real numbers": Case(each(real, values=STORED + 0.5), "-RR"),
    "PixelPaddingValue": Case(setting(PixelPaddingValue=0), "RRR"),
    # intensities
    "RescaleSlope 0": Case(setting(RescaleSlope=0, RescaleIntercept=7, values=STORED + 7), "RWR"),
    "RescaleSlope NaN": Case(setting(RescaleSlope="NaN"), "RRW"),
    "RescaleSlope infinite": Case(setting(RescaleSlope="inf"), "RRW"),
    "two RescaleSlopes": Case(setting(RescaleSlope=[2, 3], values=STORED * 2), "RR-"),
    "a scale for each slice": Case(each(scale_of_slice, values=SCALED), "RWR"),
    "a table that changes nothing": Case(
        setting(ModalityLUTSequence=table(np.arange(4001))), "RRR"
    ),
    "an empty table": Case(setting(ModalityLUTSequence=Sequence([Dataset()])), "RR-"),
    # places
    "one PixelSpacing": Case(
        each(lambda k, d: setattr(d, "PixelSpacing", 1.1), replace(PLAN, between_rows=1.1)), "RR-"
    ),
    "three PixelSpacings": Case(setting(PixelSpacing=[0.9, 1.1, 5]), "RR-"),
    "four numbers of a position": Case(
        each(lambda k, d: setattr(d, "ImagePositionPatient", [*d.ImagePositionPatient, 1])),
        "RR-",
    ),
    "directions of length 1.3": Case(directions(OBLIQUE, 1.3, 1.3), "RR-"),
    "directions of two lengths": Case(directions(OBLIQUE, 1.3, 0.7), "RR-"),
    "positions of one decimal": Case(rounded(replace(PLAN, step=1.25, slices=20)), "RW-"),
    "one slice with SpacingBetweenSlices": Case(one_slice(SpacingBetweenSlices=5.0), "RRR"),
    "frames with SpacingBetweenSlices": Case(classic_frames(SpacingBetweenSlices=5.0), "RR-"),
    # many frames
    "enhanced": Case(in_one_file(), "RRR"),
    "enhanced, in another order": Case(in_one_file(order=[3, 1, 0, 2, 5, 4]), "WRR"),
    "enhanced, no FrameContentSequence": Case(
        in_one_file(without_groups("FrameContentSequence")), "RRR"
    ),
    "enhanced, scaled for each frame": Case(in_one_file(scale_of_frame, SCALED), "WWR"),
    "enhanced, scaled for the whole file": Case(
        in_one_file(scale_of_file, STORED * 2.0 - 10), "RRR"
    ),
    "enhanced, legacy": Case(of_class(LegacyConvertedEnhancedMRImageStorage), "RRR"),
    "enhanced, of colour but grey": Case(of_class(EnhancedMRColorImageStorage), "RRR"),
    "enhanced, a secondary capture": Case(
        of_class(MultiFrameGrayscaleWordSecondaryCaptureImageStorage), "RRR"
    ),
}

REFUSED: dict[str, Case] = {
    # headers
    "CT": Case(
        setting(SOPClassUID=CTImageStorage), "RRR", "not an MR image", "it is read well, but no MR"
    ),
    "a mosaic": Case(mosaic, "WRW", "many slices in one picture"),
    "two patients in one stack": Case(
        in_half(lambda k, d: setattr(d, "PatientID", "P2")),
        "RRR",
        "(PatientID=several, allowed one)",
        "it mixes two people",
    ),
    # how pixels are stored
    "no BitsAllocated": Case(lacking("BitsAllocated"), "-R-", "BitsAllocated=nothing"),
    "12 bits packed": Case(each(of_12_bits), "RW-", "BitsAllocated=12"),
    "12 bits at the upper end": Case(each(left_aligned), "WWW", "HighBit"),
    "no PixelRepresentation, negative": Case(
        each(lambda k, d: delattr(d, "PixelRepresentation"), stored=STORED - 2000),
        "WW-",
        "PixelRepresentation",
    ),
    "colour": Case(setting(PhotometricInterpretation="YBR_FULL"), "-R-", "not a greyscale image"),
    "a private syntax": Case(
        in_syntax("1.2.840.113619.5.2", implicit=True, swapped=True),
        "R--",
        "an unknown transfer syntax",
    ),
    "an unknown syntax": Case(
        in_syntax("1.2.3.4", implicit=False, swapped=False), "---", "an unknown transfer syntax"
    ),
    "a JPEG of another size": Case(another_jpeg_size, "-W-", "another size"),
    "no pixels in one": Case(lacking("PixelData", only=2), "W--", "no pixels"),
    # intensities
    "a table": Case(
        setting(ModalityLUTSequence=table(np.arange(4001) * 2), values=STORED * 2),
        "WWR",
        "intensities with a lookup table",
    ),
    "RescaleIntercept NaN": Case(
        setting(RescaleSlope=1, RescaleIntercept="NaN"), "R-W", "RescaleIntercept=[nan]"
    ),
    "RescaleSlope NaN, and an intercept": Case(
        setting(RescaleSlope="NaN", RescaleIntercept=7, values=STORED + 7), "RWW", "RescaleSlope"
    ),
    # places
    "no position": Case(lacking("ImagePositionPatient"), "WW-", "ImagePositionPatient=nothing"),
    "no position in one": Case(
        lacking("ImagePositionPatient", only=2), "W--", "ImagePositionPatient=nothing"
    ),
    "no orientation": Case(
        lacking("ImageOrientationPatient", plan=SAGITTAL_PLAN), "WW-", "Orientation"
    ),
    "orientation 0": Case(directions(SAGITTAL_PLAN, 0, 0), "WW-", "not an orientation"),
    "directions that lean": Case(
        setting(ImageOrientationPatient=[1, 0, 0, 0.6, 0.8, 0]), "RW-", "not an orientation"
    ),
    "no PixelSpacing": Case(lacking("PixelSpacing"), "WW-", "PixelSpacing=nothing"),
    "ImagerPixelSpacing": Case(
        lacking("PixelSpacing", ImagerPixelSpacing=[0.9, 1.1]), "WW-", "PixelSpacing=nothing"
    ),
    "PixelSpacing 0": Case(setting(PixelSpacing=[0, 1.1]), "WW-", "impossible spacing"),
    "negative PixelSpacing": Case(setting(PixelSpacing=[-0.9, 1.1]), "WW-", "impossible spacing"),
    "decimal comma": Case(rewritten(decimal_comma), "WW-", "not a number (PixelSpacing"),
    "another PixelSpacing in the first": Case(
        setting(only=0, PixelSpacing=[0.9, 1.2]), "WW-", "slices differ in spacing"
    ),
    "one slice": Case(one_slice(), "WWW", "a single slice is not a volume"),
    "frames without a step": Case(classic_frames(), "WW-", "several frames without positions"),
    "frames over time": Case(
        classic_frames(SpacingBetweenSlices=5.0, FrameIncrementPointer=0x00181063),
        "RR-",
        "several frames without positions",
        "they are times, and the others stack them all the same",
    ),
    "a missing slice": Case(without_slice(3), "W--", "slices are missing"),
    "uneven steps": Case(moved(shift(2, 0, 0, 0.3)), "W--", "uneven steps"),
    "a slice aside": Case(moved(shift(2, 0.5, 0, 0)), "WWW", "slice positions are not on a line"),
    "a tilt of 5 degrees": Case(
        each(unchanged, replace(PLAN, lean=(0, 0.44, 0))), "WW-", "gantry tilt"
    ),
    "a tilt of 0.3 degrees": Case(
        each(unchanged, replace(PLAN, lean=(0, 0.026, 0))), "WWW", "gantry tilt"
    ),
    "a slice of another size": Case(other_size(3), "---", "slices differ in size"),
    "two images at one place": Case(
        moved(shift(3, 0, 0, -5)), "W--", "several images at one position"
    ),
    "every place twice": Case(every_place_twice, "W--", "several images at one position"),
    "two echo times in turn": Case(
        in_half(lambda k, d: setattr(d, "EchoTime", 17.0)),
        "RWR",
        "its parts interleave",
        "every other slice is another contrast, which dcm2niix takes apart",
    ),
    "a slice turned by 2 degrees": Case(
        setting(only=2, ImageOrientationPatient=list(oblique(2))), "R--", "its parts interleave"
    ),
    # many frames
    "enhanced, a header less": Case(
        in_one_file(lambda d: d.PerFrameFunctionalGroupsSequence.pop(3) and None),
        "WR-",
        "not a header for each frame",
    ),
    "enhanced, no orientation": Case(
        in_one_file(without_groups("PlaneOrientationSequence"), plan=SAGITTAL_PLAN),
        "-W-",
        "ImageOrientationPatient=nothing",
    ),
    "enhanced, no PixelMeasures": Case(
        in_one_file(without_groups("PixelMeasuresSequence")), "WW-", "PixelSpacing=nothing"
    ),
    "enhanced, no positions": Case(
        in_one_file(without_groups("PlanePositionSequence")), "WW-", "ImagePositionPatient=nothing"
    ),
}
