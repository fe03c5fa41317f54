"""Machines of Vast.ai: the settings for it, and the account's own checks. How they are used is in `rented`."""
