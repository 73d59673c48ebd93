"""Where logins come from: the settings, a Kubernetes Secret, or Vault, which leases them."""
