"""What looks at a version before it is published, and at the page when it is live. One evaluator, one file."""

from tasks.evaluators.base import Evaluator, Finding, Subject

__all__ = ["Evaluator", "Finding", "Subject"]
