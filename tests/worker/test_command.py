import pytest

from tasks.management.commands.worker import Command


@pytest.mark.parametrize("number", ["0", "-1", "many"])
def test_a_number_of_processes_that_makes_no_sense_is_a_usage_error(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "worker", "--processes", number])
    assert end.value.code == 2
    assert "--processes" in capsys.readouterr().err
