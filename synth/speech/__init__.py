"""From a request to finished audio and its record."""
