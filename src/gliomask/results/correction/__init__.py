"""Corrections of masks: the editable case, and the written correction."""
