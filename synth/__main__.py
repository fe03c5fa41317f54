"""`python -m synth` is `voice-synth`, for where no programs are installed."""

from __future__ import annotations

from synth.main import main

if __name__ == "__main__":
    main()
