"""The provenance of runs and results, and the patients of a model."""
