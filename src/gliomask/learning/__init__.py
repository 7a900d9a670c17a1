"""What turns a store into a run."""
