"""From an engine's raw samples to finished audio: trim, join, loudness, limiter, measures, files.

Samples are mono float32 arrays of shape (n,), full scale 1.0.
"""
