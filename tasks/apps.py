"""Django wiring of the one app."""

from django.apps import AppConfig


class TasksConfig(AppConfig):
    name = "tasks"
    verbose_name = "Deployer"

    def ready(self) -> None:
        from tasks import system_checks  # noqa: F401
