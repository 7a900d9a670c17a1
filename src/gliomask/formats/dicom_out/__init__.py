"""DICOM objects that are written: segmentations and structure sets."""
