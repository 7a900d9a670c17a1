"""A model, or masks of any tool, measured against references."""
