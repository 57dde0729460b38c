"""The fault grid: what every peer can do wrong, at every place where it is asked, and what must hold then.

`make faults` plays all cells and prints them. A cell is one line of a table (`github.py`, `models.py`, `pages.py`, `evaluator.py`, `database.py`):
the peer, the place, the fault, how long it lasts, what the row must say while it waits, and how the round must end. `play.py` carries one round
through the real pipeline against real HTTP servers, on a clock that only moves from one `next_run_at` to the next, and checks the promises that
hold for every cell."""
