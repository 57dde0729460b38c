"""What is kept for how long, and how one person's data go.

    manage.py prune ──► prune ──► history       tasks and rounds, raw answers, by age
                          ├─────► service_rows  what else would grow: queue, workers, sessions, logins
                          ├─────► log_files     lines and rotated files, by age
                          └─────► repositories  of the local host, only when asked for
    manage.py prune --erase, the admin's action ──► erasure
    manage.py worker ──► nightly ──► prune, in slices

Everything long is done in `batches`: short transactions with pauses, so that requests are accepted meanwhile. Whatever is open is left alone, and
each batch looks again, under locks, whether it still may go. Nothing on GitHub is ever deleted.
"""
