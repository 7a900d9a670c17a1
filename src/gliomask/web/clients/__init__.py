"""The protocols of existing clients, mapped onto the same uploads, jobs and tokens."""
