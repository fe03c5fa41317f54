"""Several finished pieces of audio as one file: an episode with gaps, chapters, tags and captions."""
