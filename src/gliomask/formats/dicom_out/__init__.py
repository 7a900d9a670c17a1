"""Writers of DICOM Segmentations and RT Structure Sets."""
