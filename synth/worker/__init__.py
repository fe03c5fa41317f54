"""The resident worker: loads the model once and speaks the jobs of a spool."""
