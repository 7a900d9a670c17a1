"""One command per file: parse, call a workflow, render."""
