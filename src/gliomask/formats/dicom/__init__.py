"""DICOM series of MR images to volumes: files -> frames -> series -> voxels."""
