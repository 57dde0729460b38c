"""Django wiring of the one app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Deployer"

    def ready(self) -> None:
        from tasks import system_checks  # noqa: F401
        from tasks.classroom.groups import ensure

        post_migrate.connect(ensure, sender=self, dispatch_uid="tasks.classroom.groups")
