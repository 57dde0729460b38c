"""The records: one module per noun, all of them shown in the admin.

TaskRequest 1─n Round 1─n Attachment, CodeVersion 1─n GeneratedFile, StageRun, Deployment, NotificationAttempt, CheckResult; Message hangs on the
task. Agents add AgentKey, Result and LogFile; programs that were run are ContainerRun 1─n Artefact. The
instructor's side: Submission 1─n IssuedTask 1─n IssueTry, RepoReport 1─n CheckResult; GradeBook 1─n GradeColumn 1─n GradeOverride, and Grade. The
round's row is the state machine, everything else is history and append-only.
"""

from tasks.models.agents import AgentKey, IdempotencyKey, LogFile, Result
from tasks.models.classroom import IssuedTask, IssueTry, RepoReport, Submission
from tasks.models.code import CodeVersion, GeneratedFile
from tasks.models.conversation import Message
from tasks.models.evidence import CompiledCheck, Screenshot
from tasks.models.grades import Grade, GradeBook, GradeColumn, GradeOverride
from tasks.models.pipeline import CheckResult, Deployment, NotificationAttempt, StageRun
from tasks.models.requests import Attachment, Round, TaskRequest
from tasks.models.runs import Artefact, ContainerRun
from tasks.models.service import Worker, WriteBudget

__all__ = [
    "AgentKey",
    "Artefact",
    "Attachment",
    "CheckResult",
    "CodeVersion",
    "CompiledCheck",
    "ContainerRun",
    "Deployment",
    "GeneratedFile",
    "Grade",
    "GradeBook",
    "GradeColumn",
    "GradeOverride",
    "IdempotencyKey",
    "IssueTry",
    "IssuedTask",
    "LogFile",
    "Message",
    "NotificationAttempt",
    "RepoReport",
    "Result",
    "Round",
    "Screenshot",
    "StageRun",
    "Submission",
    "TaskRequest",
    "Worker",
    "WriteBudget",
]
