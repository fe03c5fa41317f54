"""Settings to objects, for the picture worker."""
