"""Machines rented by the hour, of whichever company: reached by SSH, kept alive by a lease, given back."""
