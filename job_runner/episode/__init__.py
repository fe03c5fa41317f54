"""What `join` is made of: its chapters, and which files it may not write over."""
