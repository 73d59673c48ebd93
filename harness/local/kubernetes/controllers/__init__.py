"""The controllers: what acts on the objects without being asked by a client."""
