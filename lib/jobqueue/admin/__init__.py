"""The operator's side of a queue: its port, beyond that of the workers, and the answers' values."""
