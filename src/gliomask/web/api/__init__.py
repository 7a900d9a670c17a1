"""The REST API, version 1: a router for each kind of resource."""
