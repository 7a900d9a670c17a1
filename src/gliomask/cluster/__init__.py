"""Batch systems that a batch may run under."""
