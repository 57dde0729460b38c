"""Settings of the worker processes that the tests start: the test run's own, with a short job timeout and retry.

TEST_SETTINGS in the environment (JSON) is what one test wants otherwise, TEST_HOSTNAME the machine that a process believes to be on.
"""

import json
import os
import socket

os.environ["TEST_DATABASE_URL"] = os.environ.get("DATABASE_URL", "")

from tests.settings import *  # noqa: F403
from tests.settings import Q_CLUSTER

Q_CLUSTER |= {"workers": 2, "queue_limit": 2, "timeout": 5, "retry": 8}
WORKERS = 2
EVALUATE = False
globals().update(json.loads(os.environ.get("TEST_SETTINGS", "{}")))

if hostname := os.environ.get("TEST_HOSTNAME"):
    socket.gethostname = lambda: hostname
