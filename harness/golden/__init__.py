"""The golden copy: the sandbox as it was at a checkpoint, kept where a reset finds it."""
