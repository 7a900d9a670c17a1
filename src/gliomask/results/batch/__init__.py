"""Folder of a batch: manifest, status of the cases, page and table of all cases."""
