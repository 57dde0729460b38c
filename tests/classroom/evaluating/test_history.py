"""The whole history is read, each version of a file once; what is found has a commit and a path."""

from __future__ import annotations

import pytest
from dulwich.objects import Blob, Commit, ObjectID, Tree
from dulwich.repo import MemoryRepo

from tasks.classroom.evaluating import history
from tasks.evaluators import Finding
from tasks.hosts.base import blob_sha

TOKEN = b"ghp_aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY1zA2"
SLACK = b"xoxb-" + b"123456789012-123456789012-" + b"abcdefGHIJKLmnopQRSTuvwx"


class History:
    """Commits made one after another; each version of the files is a folder's content."""

    def __init__(self) -> None:
        self.git = MemoryRepo()
        self.commits: list[Commit] = []

    def tree(self, files: dict[str, bytes | dict[str, bytes]]) -> ObjectID:
        tree = Tree()
        for name, content in files.items():
            if isinstance(content, dict):
                tree.add(name.encode(), 0o40000, self.tree(content))
            else:
                blob = Blob.from_string(content)
                self.git.object_store.add_object(blob)
                tree.add(name.encode(), 0o100644, blob.id)
        self.git.object_store.add_object(tree)
        return tree.id

    def add(self, message: bytes = b"m", **files: bytes | dict[str, bytes]) -> str:
        commit = Commit()
        commit.tree, commit.parents = self.tree(files), [item.id for item in self.commits[-1:]]
        commit.author = commit.committer = b"S <s@example.org>"
        commit.author_time = commit.commit_time = 1_800_000_000 + len(self.commits)
        commit.author_timezone = commit.commit_timezone = 0
        commit.message = message
        self.git.object_store.add_object(commit)
        self.commits.append(commit)
        return commit.id.decode()

    def finding(self, *given: bytes, brief: str = "") -> Finding:
        return history.finding(self.git, self.commits, brief, {blob_sha(data) for data in given})


@pytest.fixture
def made() -> History:
    return History()


def test_each_version_of_a_file_is_read_once(made: History) -> None:
    made.add(a=b"1", folder={"b": b"2", "c": b"3"})
    made.add(a=b"1", folder={"b": b"2", "c": b"4"}, copy=b"2")
    found = made.finding()
    assert (found.status, found.evidence["versions"]) == ("pass", 4)
    assert [version.path for version in history.versions(made.git, made.commits)] == ["a", "folder/b", "folder/c", "folder/c"]


def test_a_key_is_named_by_the_first_commit_that_has_it(made: History) -> None:
    made.add(a=b"1")
    slip = made.add(a=b"1", folder={"keys.txt": TOKEN})
    made.add(a=b"1", moved=TOKEN)
    found = made.finding()
    assert (found.status, list(found.evidence["found"])) == ("fail", [f"{slip[:10]} folder/keys.txt"])
    assert TOKEN.decode() not in str(found)


def test_a_key_in_a_commits_message_or_in_a_files_name_is_found_and_not_repeated(made: History) -> None:
    talkative = made.add(b"use " + TOKEN, a=b"1")
    made.add(a=b"1", **{TOKEN.decode(): b"x"})
    found = made.finding()
    assert next(iter(found.evidence["found"])) == f"{talkative[:10]} its message"
    assert len(found.evidence["found"]) == 2
    assert TOKEN.decode() not in str(found)


def test_what_the_student_was_sent_is_no_slip(made: History) -> None:
    made.add(attached=TOKEN)
    assert made.finding(TOKEN).status == "pass"
    assert made.finding().status == "fail"


def test_the_shape_of_a_services_credential_is_shown_but_fails_nobody(made: History) -> None:
    made.add(a=SLACK)
    found = made.finding()
    assert (found.status, "may hold" in found.reason) == ("undecided", True)


@pytest.mark.parametrize(("name", "most"), [("MAX_BLOBS", 2), ("MAX_BYTES", 3), ("SECONDS", 0)])
def test_a_history_that_is_too_long_is_said_to_be_capped(made: History, monkeypatch: pytest.MonkeyPatch, name: str, most: int) -> None:
    for number in range(6):
        made.add(a=b"%d" % number)
    assert made.finding().status == "pass"
    monkeypatch.setattr(history, name, most)
    found = made.finding()
    assert (found.status, "there are more" in found.reason) == ("undecided", True)
    made.add(a=b"6")
