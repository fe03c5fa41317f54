"""Workers: they claim tasks and have them carried out in processes that stay warm.

`program.PipelineWorker` puts one together; `loop` decides, `pool` talks to the processes, `held_tasks` renews
leases, `reports` writes how tasks ended. `guard` and `runner` are the processes.
"""

from __future__ import annotations
