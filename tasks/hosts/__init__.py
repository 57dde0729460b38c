"""Where repositories and pages live. One backend, one file: `github`, `local`."""

from tasks.hosts.base import Commit, Head, Host, NewFile, Repo

__all__ = ["Commit", "Head", "Host", "NewFile", "Repo", "get_host"]


def get_host(name: str) -> Host:
    """The backend of that name (the REPO_HOST setting, or the one that already holds a task's repository)."""
    from tasks.backends import load

    host: Host = load("hosts", "Host", name)
    return host
