"""The verbs: refresh, checkpoint, reset, status; one module each, and what they share."""
