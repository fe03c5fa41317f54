"""What an operator may ask of a queue beyond the port, and what the answers are."""
