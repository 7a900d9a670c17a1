"""What every long piece of work needs: progress, a journal, processes, failures, times."""
