"""What students report, evaluated: the repository at the reported commit, its history, and the live page.

In: `RepoReport` rows that are due (`queue`). Out: their `CheckResult` and `Screenshot` rows, `facts` and `prints` (`work`). What it is made of:

    queue ─► work ─┬─ door       what the reported addresses lead to; who is trusted
                   ├─ clone      a guarded git clone (`git`, `pack`), read by `repository` and `history`
                   ├─ origin     when the repository was made
                   ├─ looking    the evaluators of the student side on files and live page (`subjects`)
                   ├─ judge      README and code, by the configured model
                   └─ verdicts   each check's key, status and score

What is the student's doing is a failed check. What is ours (network, a limit, a bug) is the state ERROR, or a check with the status `error`.
"""
