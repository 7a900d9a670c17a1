"""Protocols of existing clients, mapped to the same uploads, jobs and tokens."""
