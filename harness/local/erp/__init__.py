"""A small ERP for the pods of the local cluster: it asks and writes as Dolibarr does, no more."""

# Here, since what describes the pods is part of every command, and a web server is not.
READY = "/ready"
"""The path that answers once the ERP can serve, for the probe of its pod."""
