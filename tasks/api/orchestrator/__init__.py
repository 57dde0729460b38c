"""The orchestrator's verbs (seeds/003), each by its own name, for clients that were written for it: one module a noun.

In: JSON, forms and query parameters, as those clients send them. Everything that is done stands in `tasks.orchestrator` and `tasks.runs`, which
`/api/v1` uses too; `tasks/api/compat_urls.py` says what answers where.
"""
