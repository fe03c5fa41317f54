"""Repeat one bad day and print its story: python -m tests.simulation.day SEED [--all]"""

from __future__ import annotations

import sys

from job_watcher.simulation.bad_days import line, run_day, trace


def main() -> int:
    seed = int(sys.argv[1])
    world = run_day(seed)
    if "--all" in sys.argv:
        print("\n".join(line(told, world.start) for told in world.conditions.story))
    print(trace(world, seed) if world.conditions.violations else f"seed {seed} keeps every promise")
    return 1 if world.conditions.violations else 0


if __name__ == "__main__":
    sys.exit(main())
