"""Volumes and diameters of lesions, their change over time, and their measurement error."""
