"""The proof that nothing on the sandbox's side can change prod."""
