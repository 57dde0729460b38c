"""Checks written in plain English, decided by rules first, else by a stored predicate, never guessed.

`rules` reads a sentence as a predicate, `compiler` has a model write one, `predicates` is their language and decides them on files.
"""
