"""What `join` is made of: which beats, where their audio is, and the process that joins it."""
