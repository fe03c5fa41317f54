"""Rents machines by the hour. One port (`rental`), a folder or module for each company."""
