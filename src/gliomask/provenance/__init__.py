"""What a run records about how it was made, and which patients a model was trained on."""
