"""Addresses below `/api/v1/`, without a slash at the end."""

from __future__ import annotations

from rest_framework.routers import SimpleRouter

from tasks.api.v1 import views

router = SimpleRouter(trailing_slash=False)
router.register("tasks", views.Tasks, basename="v1-task")
for _name, _view in (
    ("versions", views.Versions),
    ("results", views.Results),
    ("feedback", views.Feedback),
    ("messages", views.Messages),
    ("logs", views.Logs),
):
    router.register(rf"tasks/(?P<task_id>\d{{1,15}})/{_name}", _view, basename=f"v1-{_name}")
router.register("containers", views.Containers, basename="v1-container")
router.register("stats", views.Stats, basename="v1-stats")

urlpatterns = router.urls
