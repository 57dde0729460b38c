"""The grade-book: students × checks, scored whenever it is looked at.

    CheckResult ──► columns   what each check is called and weighs
                ├─► standing  which task and which report of a student counts
                └─► sheet     cells ──► scoring ──► rounds, briefs, totals
    changes (weights, drops, overrides, rules), locking (the sheet as it was, kept in `Grade`), similar (hints, never verdicts), books (which one)

Nothing here changes a check result or runs a check: other weights are another sum over the same rows.
"""
