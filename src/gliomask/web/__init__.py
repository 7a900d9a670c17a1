"""``gliomask serve``: a web page and an API for the use cases of the command line."""
