"""What the harness does to a PostgreSQL server: connect, prove identity, dump, wipe, restore."""
