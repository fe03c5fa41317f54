"""Machines that are rented by the hour: reached by SSH, kept alive by a lease, given back. Of no company's own."""
