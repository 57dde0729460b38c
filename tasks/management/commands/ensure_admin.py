"""`manage.py ensure_admin`: a superuser with the password of ADMIN_PASSWORD, made or brought up to date."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deployer.environment import read


class Command(BaseCommand):
    help = "Create the superuser, or give it the password in the environment variable ADMIN_PASSWORD."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--username", default="admin")

    def handle(self, *args: Any, **options: Any) -> None:
        password = read("ADMIN_PASSWORD")
        if not password:
            raise CommandError("Set ADMIN_PASSWORD (or ADMIN_PASSWORD_FILE).", returncode=4)
        user, created = get_user_model().objects.get_or_create(username=options["username"], defaults={"is_staff": True, "is_superuser": True})
        if created or not user.check_password(password):
            user.set_password(password)
            user.save(update_fields=["password"])
        self.stdout.write(f"{'created' if created else 'there already'}: {options['username']}")
