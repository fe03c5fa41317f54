"""How jobs are shown to people, and how people write times."""
