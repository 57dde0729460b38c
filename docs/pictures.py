"""Makes the pictures of the agents' room and of the class: `.venv/bin/python docs/pictures.py`, with Chromium and bubblewrap on the machine.

A service of its own in a folder of its own; a class of twelve is run whole, three agents take a task through five versions over the API, then the
admin is looked at.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import requests
from playwright.sync_api import sync_playwright

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
os.environ |= {"DJANGO_SETTINGS_MODULE": "deployer.settings", "ENV_FILE": os.devnull, "DEBUG": "on"}
TRIES = ((0.61, 1.2), (0.74, 0.81), (0.72, 0.9), (0.88, 0.41), (0.93, 0.22))  # accuracy and loss of each version
LONG = "import time\nfor epoch in range(100):\n    print('epoch', epoch, flush=True)\n    time.sleep(0.4)\n"
STUDENTS = 12
HEIGHT, TALLER = 860, {"gradebook": 1500, "student": 1100, "round": 1100}  # of the window, in pixels
PAGES = {
    "gradebook": "/admin/tasks/gradebook/1/change/",
    "report": "/admin/tasks/reporeport/1/change/",
    "student": "/admin/tasks/gradebook/1/student/1/",
    "contact-sheet": "/admin/tasks/gradebook/1/pictures/",
    "round": "/admin/tasks/round/3/change/",  # the first of the class
    "monitor": "/admin/monitor/",
}
MARK = """
from django.contrib.auth.models import User
from tasks.classroom.gradebook import books, changes
from tasks.models import GradeColumn, Submission
book, boss = books.default_book(), User.objects.get()
column = GradeColumn.objects.filter(book=book, round=1, key__endswith="check-3").first()
changes.override(column, Submission.objects.order_by("pk").first(), 0.5, "The total is right; its rounding is not.", boss)
"""
TABS = {"figures": "figures", "versions": "versions", "containers": "containers", "conversation": "conversation"}


def play(url: str, key: str) -> int:
    """The agents' work; the task's id."""

    def api(method: str, path: str, **more: object) -> dict:
        answer = requests.request(method, url + path, headers={"X-API-KEY": key}, timeout=60, **more)
        answer.raise_for_status()
        return answer.json()

    body = {"name": "Tell digits apart", "dataset": "mnist-small", "description": "Train a classifier on the small set.", "creator_agent": "gina"}
    task = api("POST", "/upload_task", json=body)["task_id"]
    api("PUT", f"/update_task/{task}", json={"status": "running"})
    for number, (accuracy, loss) in enumerate(TRIES, 1):
        code = {
            "main.py": f"import helper\n\nfor epoch in range({number}):\n    print('epoch', epoch, helper.score(epoch))\n",
            "helper.py": f"def score(epoch: int) -> float:\n    return round({accuracy} + epoch / 100, 3)\n",
        }
        files = [("file", (name, text)) for name, text in code.items()]
        api("POST", "/upload_code", data={"task_id": task, "version": f"v{number}", "agent": "cody"}, files=files)
        run = api("POST", "/spawn_container", json={"task_id": task, "version": f"v{number}"})["container_id"]
        while (state := api("GET", f"/container_status/{run}"))["status"] in ("queued", "preparing", "running"):
            time.sleep(0.2)
        measured = {"accuracy": accuracy, "loss": loss, "run_time": 4.0 + number, "f1": accuracy - 0.03, "raw_logs": state["logs"]}
        api("POST", "/upload_results", json={"task_id": task, "version": f"v{number}", **measured})
        words = f"Accuracy {accuracy}: " + ("good enough." if number == len(TRIES) else "the learning rate is too high, try half of it.")
        api("POST", "/upload_feedback", json={"task_id": task, "evaluator": "eva", "version": f"v{number}", "feedback": words})
        answer = {"sender": "cody", "receiver": "eva", "content": "Thank you." if number == len(TRIES) else "Halved it, see the next version."}
        api("POST", "/upload_message", json={"task_id": task, **answer})
    api("POST", "/spawn_container", json={"task_id": task, "command": ["python3", "-c", LONG]})
    time.sleep(4)
    return task


def look(url: str, password: str, task: int) -> None:
    from tasks.browser import find_chromium

    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=quiet)
        page = browser.new_page(viewport={"width": 1280, "height": HEIGHT})
        page.goto(f"{url}/admin/login/")
        page.fill("#id_username", "admin")
        page.fill("#id_password", password)
        page.press("#id_password", "Enter")
        page.wait_for_url(f"{url}/admin/")
        places = PAGES | {name: f"/admin/tasks/taskrequest/{task}/change/#{tab}" for name, tab in TABS.items()}
        for name, place in places.items():
            page.set_viewport_size({"width": 1280, "height": TALLER.get(name, HEIGHT)})
            page.goto("about:blank")
            page.goto(url + place)
            page.wait_for_timeout(1_500)
            page.screenshot(path=HERE / f"{name}.png")
        browser.close()


def main() -> None:
    import django

    django.setup()
    from tasks.demo import school
    from tasks.demo.briefs import bodies
    from tasks.demo.stack import Stack

    with tempfile.TemporaryDirectory(prefix="deployer-pictures-") as folder, Stack(Path(folder), workers=4) as stack:
        for number in (1, 2):  # rounds that nobody takes the notification of
            stack.post(bodies("sales-total", email="student@example.com", task=f"sales-total-{number}", evaluation_url="http://127.0.0.1:9/")[0])
        password = stack.keep("admin-password")
        stack.manage("ensure_admin", ADMIN_PASSWORD=password)
        school.run(stack, "sales-total", STUDENTS, trouble=True)
        stack.manage("shell", "--no-imports", "--command", MARK)
        look(stack.url, password, play(stack.url, stack.env["DEMO_API_KEY"]))


if __name__ == "__main__":
    main()
