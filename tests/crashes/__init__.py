"""The crash matrix: whatever is killed, stopped or cut off, and whenever, every accepted round ends as if nothing had happened.

`make crashes` plays all of it and prints a table. `gate` holds a process of ours at a named point of its code, `points` names the points, `service`
is the running service with its peers and the hand that kills it. The product knows nothing of this: the processes load `settings` instead of
`deployer.settings`.
"""
