"""A rehearsal: the provider is a fake, its machines are real, and everything else is tried for nothing."""
