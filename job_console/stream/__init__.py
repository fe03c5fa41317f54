"""Live events: one look at the queue and the ledger for however many streams are open."""
