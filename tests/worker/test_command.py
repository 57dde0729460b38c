import subprocess
import sys

import pytest

from tests.worker.box import Box


@pytest.mark.worker
@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_processes_that_makes_no_sense_is_a_usage_error(box: Box, number: str) -> None:
    command = [sys.executable, "manage.py", "worker", "--processes", number]
    done = subprocess.run(command, env=box.env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "--processes" in done.stderr
