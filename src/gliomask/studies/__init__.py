"""What a user points at: loose files and DICOM studies, and which sequence each image is."""
