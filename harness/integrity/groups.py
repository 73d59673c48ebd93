"""The fifteen groups of paths by which a role could reach another database, and their names."""

from __future__ import annotations

GROUPS = {
    1: "ownership",
    2: "memberships",
    3: "attributes of roles",
    4: "predefined roles",
    5: "what PUBLIC may do",
    6: "rights on tables and views",
    7: "sequences",
    8: "functions that run as their owner, languages, extensions",
    9: "code that others run",
    10: "other servers, replication",
    11: "settings that a role or a database brings",
    12: "rights on objects yet to come",
    13: "tablespaces, large objects, programs, signals",
    14: "availability",
    15: "around the database",
}

AVAILABILITY = 14
"""What everybody on a server shares."""
