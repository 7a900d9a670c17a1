"""Evaluation of a model, or of masks of any tool, against reference masks."""
