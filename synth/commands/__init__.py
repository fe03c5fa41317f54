"""The commands of `voice-synth`, one module each."""
