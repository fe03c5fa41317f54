"""Who draws on the machines of every provider."""
