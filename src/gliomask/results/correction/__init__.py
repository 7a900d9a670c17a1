"""Masks that people correct: what they draw on, and what comes of it."""
