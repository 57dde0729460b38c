"""Addresses below `/api/v1/`, without a slash at the end."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tasks.api.v1.containers import Containers
from tasks.api.v1.conversation import Feedback, Messages
from tasks.api.v1.logs import Logs
from tasks.api.v1.results import Results
from tasks.api.v1.stats import Stats
from tasks.api.v1.tasks import Tasks
from tasks.api.v1.versions import Versions

router = SimpleRouter(trailing_slash=False)
router.register("tasks", Tasks, basename="v1-task")
for _name, _view in (
    ("versions", Versions),
    ("results", Results),
    ("feedback", Feedback),
    ("messages", Messages),
    ("logs", Logs),
):
    router.register(rf"tasks/(?P<task_id>\d{{1,15}})/{_name}", _view, basename=f"v1-{_name}")
router.register("containers", Containers, basename="v1-container")
router.register("stats", Stats, basename="v1-stats")

urlpatterns = router.urls
