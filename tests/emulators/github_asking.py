"""Talking to the emulator as a client does, for its own tests: PyGithub, and what it has no call for."""

from __future__ import annotations

from typing import Any

import pytest
from github import Auth, Github, GithubException, InputGitTreeElement
from github.Repository import Repository

from tests.emulators.github import GitHubEmulator

SOURCE = {"branch": "main", "path": "/"}


def client(github: GitHubEmulator, token: str = "") -> Github:
    return Github(auth=Auth.Token(token or github.token), base_url=github.url, retry=None, seconds_between_requests=None, seconds_between_writes=None)


def refused(status: int, message: str) -> Any:
    """A refusal with that status whose body holds the message."""
    return pytest.raises(GithubException, check=lambda error: error.status == status and message in str(error.data))


def text(path: str, content: str) -> InputGitTreeElement:
    return InputGitTreeElement(path, "100644", "blob", content)


def push(repo: Repository, files: dict[str, str], message: str = "Push") -> str:
    """One commit on the branch, by PyGithub's own calls."""
    ref = repo.get_git_ref("heads/main")
    tree = repo.create_git_tree([text(path, content) for path, content in files.items()])
    commit = repo.create_git_commit(message, tree, [repo.get_git_commit(ref.object.sha)])
    ref.edit(commit.sha)
    return commit.sha


def pages(repo: Repository, verb: str = "POST", what: str = "", **body: Any) -> Any:
    return repo.requester.requestJsonAndCheck(verb, f"{repo.url}/pages{what}", input=body or None)[1]
