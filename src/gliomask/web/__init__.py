"""``gliomask serve``: a page and an API on the same use cases as the command line."""
