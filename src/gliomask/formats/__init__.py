"""One file per file format: a path to arrays and back."""
