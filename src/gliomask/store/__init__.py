"""Prepared slices on disk."""
