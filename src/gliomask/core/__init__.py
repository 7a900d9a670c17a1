"""Basic types: volumes, labels, cases, slices. Depends on numpy only."""
