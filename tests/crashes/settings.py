"""The settings of the processes in the crash matrix: the product's own, and an app that puts the points into them.

CRASH_BUSY_SECONDS is how long a process waits for SQLite's write lock, where a test does not want to wait for as long as production does.
"""

import os

from deployer.settings import *  # noqa: F403
from deployer.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS += ["tests.crashes.points.Points"]
if busy := os.environ.get("CRASH_BUSY_SECONDS"):
    DATABASES["default"]["OPTIONS"]["timeout"] = float(busy)
