"""The ledger of rented machines."""
