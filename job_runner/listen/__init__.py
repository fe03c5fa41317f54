"""What `page` and `play` are made of: the lists of pages, the process that makes them, and the players."""
