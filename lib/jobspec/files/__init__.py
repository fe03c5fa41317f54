"""The doors for files of jobs, YAML and JSON: checked whole, with the line of all that is wrong."""
