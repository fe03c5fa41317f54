"""Machines of Vast.ai: the port of `lib.providers.rental` over Vast's own SDK, imported only when called."""
