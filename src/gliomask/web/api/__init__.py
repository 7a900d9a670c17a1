"""The REST API, version 1: a router for each thing that it offers."""
