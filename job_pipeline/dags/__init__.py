"""The pipelines that come with the program."""
