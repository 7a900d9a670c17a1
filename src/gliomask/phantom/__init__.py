"""Synthetic labelled patients with a realistic anatomy."""
