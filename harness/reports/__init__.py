"""What every report has in common: its forms, its file, and that no text in it acts on anybody."""
