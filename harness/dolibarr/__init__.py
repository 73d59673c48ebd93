"""What is specific to the ERP: how its content is recognised, and what a rehearsal does in it."""
