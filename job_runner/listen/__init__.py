"""What `page` and `play` are made of: the lists of pages, and the process that makes them."""
