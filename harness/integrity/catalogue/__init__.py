"""What the catalogues say of roles, objects and grants, asked in SQL and handed on as plain data.

One statement a file; each can be run by any login, reads only, and works from PostgreSQL 14 on.
"""
