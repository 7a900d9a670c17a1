"""Writers and readers of result folders."""
