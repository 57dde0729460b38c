"""What can go wrong, as values.

Every error has a family, a stable id, one sentence that names the cure (its docstring unless a better one is given) and says whether trying
again can help. `pipeline.py` turns them into rows; the admin, `/status` and the README's troubleshooting table show the same id.

Families: `content` (what the request brought), `remote` (another service refused or failed), `internal` (our bug).
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar


class TaskError(Exception):
    """Something went wrong; look at the worker's log for this round."""

    family: ClassVar[str] = "internal"
    id: ClassVar[str] = "internal"
    retry: ClassVar[bool] = False

    def __init__(self, message: str = "", *, detail: str = "", retry_at: datetime | None = None) -> None:
        """`message` replaces the default sentence; `detail` is evidence (a status line, an excerpt), never a secret;
        `retry_at` is the earliest moment at which the peer allows another try."""
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.detail = detail
        self.retry_at = retry_at
        super().__init__(self.message)


class Conflict(ValueError):
    """What was asked does not go with what is there; the message says why."""


# -- content: the request itself -------------------------------------------------------------------------------------------------------


class ContentError(TaskError):
    """The request holds something that cannot be used; correct it and post again with a new nonce."""

    family = "content"
    id = "content"


class AddressRefused(ContentError):
    """The address is not a public http(s) address; the operator can let it through with ALLOWED_PRIVATE_HOSTS."""

    id = "address-refused"


class AttachmentUnusable(ContentError):
    """An attachment could not be decoded or fetched; post it again as a base64 data URI."""

    id = "attachment-unusable"


class TooLarge(ContentError):
    """More data than this service takes; send a smaller file."""

    id = "too-large"


class NameRefused(ContentError):
    """A file name is not allowed in a published repository; use letters, digits, dots, dashes and at most three folders."""

    id = "name-refused"


class RunRefused(ContentError):
    """The program cannot be run as it was asked for; the message says what to change."""

    id = "run-refused"


class SheetRefused(ContentError):
    """The sheet of submissions cannot be read; the message says what to change. Nothing of it was imported."""

    id = "sheet-refused"


# -- remote: somebody else's service ---------------------------------------------------------------------------------------------------


class RemoteError(TaskError):
    """Another service refused the request; its answer is in the details."""

    family = "remote"
    id = "remote-refused"


class RemoteUnavailable(RemoteError):
    """Another service did not answer as it should; the round tries again by itself."""

    id = "remote-unavailable"
    retry = True


class RateLimited(RemoteUnavailable):
    """Another service asks to slow down; the round goes on at the time it named."""

    id = "rate-limited"


class GitHubRefused(RemoteError):
    """GitHub refused the request for good; its message is in the details."""

    id = "github-refused"


class GitHubTokenRefused(RemoteError):
    """GitHub refused the token; give GITHUB_TOKEN the right to create repositories, write contents and set up Pages: waiting rounds then go on."""

    id = "github-token"
    retry = True


class GitHubSecretBlocked(RemoteError):
    """GitHub's push protection found a secret in a generated file; look at the file, remove the secret and re-run from generate."""

    id = "github-secret-blocked"


class RepositoryConflict(RemoteError):
    """The repository changed while we wrote to it; the round reads it again and goes on."""

    id = "repository-conflict"
    retry = True


class ModelKeyRefused(RemoteError):
    """The model's API key was refused; set a valid key (GEMINI_API_KEY or OPENAI_API_KEY) and re-run from generate."""

    id = "model-key"


class ModelUnavailable(RemoteUnavailable):
    """This model cannot be used now; the next one of the chain is asked."""

    id = "model-unavailable"


class ModelRefused(RemoteError):
    """The model refused the prompt or is not available to this key; the next one of the chain is asked."""

    id = "model-refused"


class AnswerUnusable(RemoteError):
    """The model's answer held no complete file; the raw answer is kept with the code version."""

    id = "answer-unusable"


class PageNotLive(RemoteUnavailable):
    """The page does not serve the committed files yet; GitHub Pages can take some minutes."""

    id = "page-not-live"


class NotificationRefused(RemoteError):
    """The evaluator refused the notification for good; its reason is in the last delivery. Notify again from the admin when it is mended."""

    id = "notification-refused"


class NotificationGivenUp(RemoteError):
    """The evaluator did not take the notification for three days; notify again from the admin when it is back."""

    id = "notification-given-up"


class AgentSilent(RemoteError):
    """An agent that was to take part did not do so in time; do its part, then run the round again."""

    id = "agent-silent"


# -- internal: our own fault -----------------------------------------------------------------------------------------------------------


class Internal(TaskError):
    """A fault in Deployer itself; the worker's log has the trace. Re-run the round, and report it if it comes again."""

    id = "internal"
    retry = True


class WorkerDied(TaskError):
    """The worker died several times in this stage; look for out-of-memory kills, then re-run the round."""

    id = "worker-died"


class SecretLeak(TaskError):
    """A file holds one of this installation's secrets; it was not published. Look at the brief and the answer, then re-run from generate."""

    id = "secret-leak"


class VersionRefused(TaskError):
    """A check that guards publishing failed; see the checks of this round for the file and the reason."""

    id = "version-refused"


class Misconfigured(TaskError):
    """A setting is missing or wrong; `manage.py check` names it."""

    id = "misconfigured"


class LeaseLost(Exception):
    """Another worker holds this round now: leave without writing. Never shown to anybody, so not a `TaskError`."""
