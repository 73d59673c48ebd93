"""The local sandbox: a PostgreSQL server laid out like the real platform, with a prod in it."""
