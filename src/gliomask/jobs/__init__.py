"""What long work needs: progress and cancellation, a journal, processes, failures, times."""
