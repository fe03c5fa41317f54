"""The daemon: leases jobs, has them spoken, stores the audio, acknowledges."""
