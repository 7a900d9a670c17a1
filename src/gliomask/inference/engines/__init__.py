"""Inference engines: one interface, and one file for each runtime."""
