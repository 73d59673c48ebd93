"""Attempts to reach prod, made on a twin: what is attempted, as whom, and how it has to end."""
