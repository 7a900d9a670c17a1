"""Data sets written in layouts that other programs read."""
