"""voice-synth: what runs where the GPU is. It needs only the ground floors of `lib`."""
