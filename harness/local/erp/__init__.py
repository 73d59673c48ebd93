"""A small ERP for the pods of the local cluster: it asks and writes as Dolibarr does, no more."""
