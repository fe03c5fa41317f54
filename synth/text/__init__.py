"""From a job's text to pieces an engine speaks in one breath."""
