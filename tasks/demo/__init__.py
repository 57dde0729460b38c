"""The whole service on one machine, for `demo`, `benchmark` and anybody who wants to try it: web, worker and an evaluator that listens."""
