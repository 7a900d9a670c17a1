"""Input of users: loose files and DICOM studies, and the sequence of each image."""
