"""The result of a prediction: its record, pages and files."""
