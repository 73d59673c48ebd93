"""A twin: a throw-away server that is as the target is, less its rows, to attack in its place."""
