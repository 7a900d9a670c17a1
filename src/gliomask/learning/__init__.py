"""Training: from a store to a run."""
