"""The queue on a Redis server: scripts that carry the rules, and what calls them."""
