"""The local sandbox: what a scenario needs that a fresh machine does not have."""
