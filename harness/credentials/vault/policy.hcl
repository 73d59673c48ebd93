# What the harness may do in Vault. Whatever is not named here is denied.
path "$mount/creds/$prod_role" { capabilities = ["read"] }
path "$mount/creds/$sandbox_role" { capabilities = ["read"] }

# Its own token: short-lived, kept alive while a run goes on, and ended with everything it leased.
path "auth/token/lookup-self" { capabilities = ["read"] }
path "auth/token/renew-self" { capabilities = ["update"] }
path "auth/token/revoke-self" { capabilities = ["update"] }
path "sys/leases/renew" { capabilities = ["update"] }

# The token of a run that was killed, by an accessor that nobody can guess or list.
path "auth/token/revoke-accessor" { capabilities = ["update"] }

# For the audit: what it may do itself.
path "sys/capabilities-self" { capabilities = ["update"] }
