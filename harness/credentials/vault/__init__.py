"""Vault: logins leased for one run, kept alive while it goes on, and revoked when it is over."""
