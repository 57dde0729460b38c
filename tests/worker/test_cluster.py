import pytest
from django.conf import settings
from django_q.conf import Conf

from tasks.worker import stopping
from tasks.worker.cluster import configure, preload


@pytest.fixture(autouse=True)
def conf(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WORKERS", "QUEUE_LIMIT", "RETRY"):
        monkeypatch.setattr(Conf, name, getattr(Conf, name))


@pytest.mark.parametrize("workers", [1, 2, 3, 16])
def test_a_message_outlives_everything_that_a_worker_may_have_before_it(workers: int) -> None:
    configure(workers)
    before = -(-(Conf.QUEUE_LIMIT + 2) // workers)  # full queue, one in the pusher's hand, one being taken
    assert workers == Conf.WORKERS
    assert Conf.TIMEOUT * (1 + before) < Conf.RETRY


def test_the_settings_stand_when_the_number_is_theirs() -> None:
    configure(settings.WORKERS)
    assert settings.Q_CLUSTER["retry"] == Conf.RETRY


def test_everything_a_job_needs_can_be_imported_before_the_fork(caplog: pytest.LogCaptureFixture) -> None:
    preload()
    assert caplog.text == ""


def test_a_process_that_is_no_worker_is_never_stopping() -> None:
    assert stopping() is False
