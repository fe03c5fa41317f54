"""The pipeline `video` with real processes and somebody at its gates: `make test-orchestrator`."""
