"""What the programs share. The floors and their rules are in docs/explanation/architecture.md."""
