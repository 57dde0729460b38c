"""The emulated GitHub can be cloned, by git itself as by dulwich, unless the repository is private."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.classroom.evaluating.work import FILES, make_repo
from tests.emulators.github import GitHubEmulator
from tests.hosts.sites import GIT, git


@pytest.mark.skipif(GIT is None, reason="git is not installed")
def test_git_clones_every_commit_byte_for_byte(tmp_path: Path) -> None:
    with GitHubEmulator() as github:
        repo = make_repo(github, {"index.html": b"old"}, FILES)
        git("clone", f"{github.url}/{repo.full_name}", "copy", cwd=tmp_path)
        git("fsck", "--strict", "--full", cwd=tmp_path / "copy")
        assert {path: (tmp_path / "copy" / path).read_bytes() for path in FILES} == FILES
        assert git("log", "--format=%H", cwd=tmp_path / "copy").stdout.split() == github.commits("sales")
        repo.private = True
        refused = git("-c", "credential.helper=", "ls-remote", f"{github.url}/{repo.full_name}.git", cwd=tmp_path, check=False)
        assert refused.returncode != 0
        assert github.api_requests() == []
