"""Who may ask, how often and how much; and what is written down of it."""
