"""What an audit has found: for a terminal, for a program, and for a reviewer to read and print."""
