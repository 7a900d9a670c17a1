"""Infrastructure for long work: progress and cancellation, journals, processes, failures, times."""
