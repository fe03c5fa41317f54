"""The picture worker: rows of a table become stored pictures. The one room of `synth` with a database."""
