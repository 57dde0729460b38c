"""What is asked again and again while the history grows: by people, by programs, and by the worker."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django_q.conf import Conf

from tasks import admission, pace
from tasks.benchmarks.bodies import Bodies
from tasks.broker import WakeBroker, put
from tasks.models import Round
from tasks.worker import dispatcher

LISTS = ("round", "taskrequest", "codeversion", "stagerun", "deployment", "notificationattempt", "checkresult", "message")


def surfaces(secret: str) -> dict[str, Callable[[], object]]:
    """Each by its name; pages through Django's whole stack, as staff and as a stranger."""
    staff, anyone = Client(), Client()
    staff.force_login(User.objects.get_or_create(username="growth", defaults={"is_staff": True, "is_superuser": True})[0])
    bodies = Bodies(secret, "http://127.0.0.1:9/notify")
    broker = WakeBroker(Conf.CLUSTER_NAME)
    newest = Round.objects.order_by("-pk").values_list("uuid", flat=True)[:1]

    def get(client: Client, path: str) -> Callable[[], object]:
        def page() -> None:
            answer = client.get(path)
            if answer.status_code not in {200, 503}:  # /health says 503 where no worker runs
                raise RuntimeError(f"{path} answered {answer.status_code}")

        return page

    def accept() -> None:
        answer = anyone.post("/ready", bodies.next(), content_type="application/json")
        if answer.status_code != 200:
            raise RuntimeError(f"/ready answered {answer.status_code}: {answer.content[:200]!r}")

    def dispatch() -> None:
        Round.objects.open().update(enqueued_at=timezone.now())  # those posted here: a slow machine must not find them overlooked
        dispatcher.dispatch(4)

    return {
        "POST /ready": accept,
        "/status": get(anyone, "/status"),
        "/status/<uuid>": get(anyone, f"/status/{newest[0]}"),
        "/health": get(anyone, "/health"),
        "admin: dashboard": get(staff, reverse("admin:index")),
        "admin: monitor": get(staff, reverse("admin:monitor_live")),
        **{f"admin: {name} list": get(staff, reverse(f"admin:tasks_{name}_changelist")) for name in LISTS},
        "worker: dispatch": dispatch,
        "worker: leases": lambda: dispatcher.release_leases("host:1:1", lambda pid: False),
        "worker: tidy": dispatcher.tidy,
        "worker: next message": lambda: put("message") and broker._take(),
        "worker: pace": pace.is_behind,
        "worker: rounds under way": admission.under_way().count,
    }
