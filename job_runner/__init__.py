"""The producer's program: job files in, results out."""
