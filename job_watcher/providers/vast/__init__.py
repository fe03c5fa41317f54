"""Machines of Vast.ai: what the settings say of them. How rented machines are used is in `rented`."""
