"""Programs run for a task: asked for, carried out in their order, cancelled, and taken back from a worker that died.

As with rounds, the row is the state machine and a message in the queue only says that there is something to do: it takes the oldest run that
waits. At most half of the workers run programs at a time, so that a queue of runs never holds up a round. What runs a program is `tasks/runners/`.
"""

from __future__ import annotations

from tasks.runs.asked import cancel, default_command, limits_of, remove, submit
from tasks.runs.lost import DIED, end_dead, name_of, take_back
from tasks.runs.work import carry_out, claim, finish, job_of, run_next

__all__ = [
    "DIED",
    "cancel",
    "carry_out",
    "claim",
    "default_command",
    "end_dead",
    "finish",
    "job_of",
    "limits_of",
    "name_of",
    "remove",
    "run_next",
    "submit",
    "take_back",
]
