"""Backends that draw, against what the port promises."""
