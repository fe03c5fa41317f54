"""One machine that is reached over SSH, whoever it belongs to: how it is prepared, kept and fenced."""
