"""The README cannot rot: what the code has, it names; what it names, the code has."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands, load_command_class
from django.urls import get_resolver

from tasks import backends, errors, system_checks
from tasks.pipeline import STAGES

ROOT = Path(settings.BASE_DIR)
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = (ROOT / ".env.example").read_text(encoding="utf-8")
READ = sorted(set(re.findall(r'read(?:_\w+)?\("([A-Z_]+)"', (ROOT / "deployer" / "settings.py").read_text(encoding="utf-8"))))
COMMANDS = sorted(name for name, app in get_commands().items() if app == "tasks")


@pytest.mark.parametrize("name", READ)
def test_every_setting_is_in_the_readme_and_in_the_example(name: str) -> None:
    assert f"`{name}`" in README
    assert re.search(rf"^#? ?{name}=", EXAMPLE, re.MULTILINE)


def test_the_example_names_no_setting_that_is_not_read() -> None:
    assert set(re.findall(r"^#? ?([A-Z_]+)=", EXAMPLE, re.MULTILINE)) <= set(READ)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme_with_its_options(name: str) -> None:
    assert f"`{name}`" in README or f"manage.py {name}" in README
    parser = load_command_class("tasks", name).create_parser("manage.py", name)
    own = {option for action in parser._actions for option in action.option_strings if option.startswith("--")}
    common = {"--help", "--version", "--verbosity", "--settings", "--pythonpath", "--traceback", "--no-color", "--force-color", "--skip-checks"}
    missing = sorted(option for option in own - common if option not in README)
    assert missing == []


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_is_in_the_readme(stage: str) -> None:
    assert f"`{stage}`" in README


@pytest.mark.parametrize(
    ("package", "class_name"),
    [("generators", "Generator"), ("hosts", "Host"), ("evaluators", "Evaluator"), ("stages", "Stage"), ("runners", "Runner")],
)
def test_every_backend_is_in_the_readme(package: str, class_name: str) -> None:
    assert [name for name in backends.names(package, class_name) if f"`{name}`" not in README] == []


def test_every_route_is_in_the_readme() -> None:
    routes = {str(pattern.pattern) for pattern in get_resolver("tasks.urls").url_patterns if hasattr(pattern, "name")}
    plain = {re.sub(r"<[^>]+>", "", route).rstrip("/") for route in routes}
    assert [route for route in plain if route and f"/{route}" not in README] == []


def test_every_error_id_is_in_the_troubleshooting_table() -> None:
    ids = {error.id for error in vars(errors).values() if isinstance(error, type) and issubclass(error, errors.TaskError)}
    assert sorted(id for id in ids if f"`{id}`" not in README) == []


def test_every_system_check_is_in_the_readme() -> None:
    ids = set(re.findall(r'"((?:E|W)\d{3})"|tasks\.((?:E|W)\d{3})', Path(system_checks.__file__).read_text(encoding="utf-8")))
    assert sorted("".join(pair) for pair in ids if "".join(pair) not in README) == []


def test_every_local_link_of_the_readme_leads_somewhere() -> None:
    targets = [target for target in re.findall(r"\]\(([^)#\s]+)\)", README) if "://" not in target]
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_make_target_that_the_readme_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert [target for target in re.findall(r"`make ([a-z]+)", README) if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []
