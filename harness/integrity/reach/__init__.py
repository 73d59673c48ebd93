"""Who could reach what: rights, the memberships that lead to them, and the paths of both."""
