"""Whatever a page or a check does, the visit ends, says why, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest

from tasks import browser
from tasks.browser import Report, judge
from tests.browser.conftest import Canaries

pytestmark = pytest.mark.browser


def look(html: str, *checks: str, seconds: float = 60.0) -> Report:
    return judge(
        files={"index.html": html.encode(), "sw.js": b"self.addEventListener('fetch', () => {})"},
        repo="demo",
        checks=checks,
        seconds=seconds,
        axe=False,
    )


def below_us() -> set[int]:
    """The processes that come from this one, as far as they are not tied to something else."""
    return set(browser.supervise.Tree(os.getpid()).pids()) - {os.getpid()}


def sessions() -> set[int]:
    """The sessions of all processes, the dead ones too. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html"""
    found = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            found.add(int(path.read_text().rpartition(")")[2].split()[3]))
    return found


@pytest.fixture(autouse=True)
def _nothing_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> object:
    """No process of a visit outlives it."""
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    folder.chmod(0o711)  # the browser's user has to get through
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    roots: list[int] = []

    class Noted(browser.supervise.Tree):
        def __init__(self, root: int) -> None:
            roots.append(root)
            super().__init__(root)

    monkeypatch.setattr(browser.supervise, "Tree", Noted)
    yield
    assert roots
    assert not sessions() & set(roots)  # not even a dead one that nobody has waited for
    folder.rmdir()  # it is empty


def test_a_script_without_end_is_ended_and_told() -> None:
    report = look("<script>while (true) {}</script><p id=after>", "!!document.querySelector('#after')")
    assert [check.status for check in report.checks] == ["pass"]
    assert report.errors == ("A script ran for more than 5 s without a pause and was ended: an endless loop?",)


def test_a_page_that_never_lets_go_is_closed() -> None:
    report = look("<p id=p></p><script>setInterval(() => { while (true) {} }, 50)</script>", "window.never", seconds=30)
    assert [check.status for check in report.checks] == ["fail"]
    assert "The page's scripts never let go; it was closed." in report.errors
    assert report.seconds < 25


def test_an_endless_check_fails_alone() -> None:
    report = look("<p id=p></p>", "while (true) {}", "!!document.querySelector('#p')", "(() => { for (;;); })()")
    assert [check.status for check in report.checks] == ["fail", "pass", "fail"]
    assert "ran for 3 s without an end" in report.checks[0].reason


def test_a_page_that_eats_all_memory_is_ended_and_the_checks_are_still_tried() -> None:
    html = "<p id=p></p><script>const all = []; setInterval(() => all.push(new Uint8Array(5e7).fill(1)), 1)</script>"
    report = look(html, "!!document.querySelector('#p')")
    assert any("memory" in error for error in report.errors)
    assert [check.status for check in report.checks] == ["pass"]
    assert report.memory_peak_mb < 2500


def test_a_check_that_eats_all_memory_fails_alone() -> None:
    bomb = "(() => { const all = []; while (true) all.push(new Array(1e7).fill(1.5)); })()"
    report = look("<p id=p></p>", bomb, "!!document.querySelector('#p')", "document.title === ''", seconds=40)
    assert [check.status for check in report.checks] == ["fail", "pass", "pass"]
    assert "memory" in report.checks[0].reason


@pytest.mark.parametrize(
    ("storm", "told"),
    [
        ("while (true) alert('x')", "more than 20 dialogs"),
        ("setInterval(() => confirm('x'), 1)", "more than 20 dialogs"),
        ("while (true) window.open('about:blank')", "more than 20 windows"),
    ],
)
def test_a_storm_of_dialogs_or_windows_is_ended(storm: str, told: str) -> None:
    report = look(f"<script>{storm}</script><p id=after></p>", "!!document.querySelector('#after')")
    assert [check.status for check in report.checks] == ["pass"]
    assert told in report.errors[0]


def test_a_flood_of_messages_is_cut_short() -> None:
    report = look("<script>while (true) console.log('x' + Math.random())</script><p id=after></p>", "!!document.querySelector('#after')")
    assert [check.status for check in report.checks] == ["pass"]
    assert len(report.console) == 50


def test_dialogs_do_not_hold_a_check_up() -> None:
    report = look(
        "<script>setTimeout(() => { alert('hello'); document.title = String(confirm('sure?')) }, 50)</script>", "document.title === 'false'"
    )
    assert [check.status for check in report.checks] == ["pass"]


def test_a_page_that_reloads_itself_for_ever_can_be_judged() -> None:
    report = look("<p id=p></p><script>setTimeout(() => location.reload(), 30)</script>", "!!document.querySelector('#p')")
    assert [check.status for check in report.checks] == ["pass"]


def test_a_huge_value_is_not_taken_in() -> None:
    report = look("<p id=p></p>", "'x'.repeat(3e7)", "!!document.querySelector('#p')", seconds=60)
    assert [check.status for check in report.checks] == ["fail", "pass"], [check.reason for check in report.checks]


def test_at_the_time_limit_what_was_seen_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "GRACE", -60.0)  # the runner believes to have time, so that it is the parent who ends it
    report = look("<title>x</title><p id=p></p>", "!!document.querySelector('#p')", "window.never", seconds=4)
    assert report.stopped == "The time for looking at the page was over."
    assert [check.status for check in report.checks] == ["pass", "fail"]
    assert (report.available, report.loaded) == (True, True)
    assert report.seconds < 8


def test_an_interrupted_visit_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cancelled(Exception):
        pass

    def cancel(collected: object, event: dict[str, object], blob: bytes) -> None:
        raise Cancelled

    before = below_us()
    monkeypatch.setattr("tasks.browser.report.Collected.take", cancel)
    with pytest.raises(Cancelled):
        look("<p>x</p>")
    assert below_us() <= before


# -- ways out ----------------------------------------------------------------------------------------------------------------------------

REACH = """<!doctype html><title>x</title><body><script>
const tcp = %TCP%, udp = %UDP%, quiet = (make) => { try { const made = make(); if (made && made.catch) made.catch(() => {}); } catch (error) {} };
const add = (name, attributes) => document.body.append(Object.assign(document.createElement(name), attributes));
const ice = [...tcp, ...udp].flatMap((at) => [{ urls: `stun:${at}` }, { urls: `turn:${at}?transport=tcp`, username: "u", credential: "c" }]);
for (const at of tcp) {
    quiet(() => fetch(`http://${at}/fetch`, { mode: "no-cors" }));
    quiet(() => fetch(`https://${at}/tls`, { mode: "no-cors" }));
    quiet(() => { const request = new XMLHttpRequest(); request.open("POST", `http://${at}/xhr`); request.send("x"); });
    quiet(() => navigator.sendBeacon(`http://${at}/beacon`, "x"));
    quiet(() => new WebSocket(`ws://${at}/ws`));
    quiet(() => new WebSocket(`wss://${at}/wss`));
    quiet(() => new EventSource(`http://${at}/events`));
    quiet(() => new WebTransport(`https://${at}/wt`));
    quiet(() => import(`http://${at}/module.js`));
    quiet(() => new Worker(URL.createObjectURL(new Blob([`fetch("http://${at}/worker", { mode: "no-cors" }); new WebSocket("ws://${at}/")`]))));
    for (const rel of ["preconnect", "dns-prefetch", "prefetch", "preload", "modulepreload", "prerender", "stylesheet", "icon", "manifest"])
        document.head.append(Object.assign(document.createElement("link"), { rel, href: `http://${at}/${rel}`, as: "script" }));
    add("img", { src: `http://${at}/img` });
    add("iframe", { src: `http://${at}/frame` });
    add("script", { src: `http://${at}/script.js` });
    add("video", { src: `http://${at}/video`, preload: "auto" });
    add("object", { data: `http://${at}/object` });
    add("style", { textContent: `@import "http://${at}/css"; body { background: url(http://${at}/bg) }` });
    add("iframe", { name: `f${at}` });
    add("form", { action: `http://${at}/form`, method: "post", target: `f${at}` }); document.forms[document.forms.length - 1].submit();
    window.open(`http://${at}/popup`);
}
quiet(() => { const speculation = document.createElement("script"); speculation.type = "speculationrules";
    const urls = tcp.map((at) => `http://${at}/spec`);
    speculation.textContent = JSON.stringify({ prerender: [{ urls }], prefetch: [{ urls }] });
    document.head.append(speculation); });
quiet(() => { const peer = new RTCPeerConnection({ iceServers: ice.slice(0, 30) }); peer.createDataChannel("x");
    peer.createOffer().then((offer) => peer.setLocalDescription(offer)); window.peer = peer; peer.onicecandidate = () => {};
    [...tcp, ...udp].forEach((at, n) => { const cut = at.lastIndexOf(":"), host = at.slice(0, cut).replace(/[\\[\\]]/g, "");
        const candidate = (kind) => `candidate:${n} 1 ${kind} 2122260223 ${host} ${at.slice(cut + 1)} typ host`;
        for (const kind of ["udp", "tcp"]) quiet(() => peer.addIceCandidate({ candidate: candidate(kind), sdpMid: "0", sdpMLineIndex: 0 })); }); });
quiet(() => navigator.serviceWorker.register("sw.js"));
add("iframe", { src: "file:///etc/hostname", id: "file" });
quiet(() => fetch("file:///etc/hostname").then((answer) => answer.text()).then((text) => { window.leak = text; }));
setTimeout(() => { location = `http://${tcp[0]}/navigated`; }, 1500);
</script>"""
NAMED = ["localhost:{}", "127.1:{}", "2130706433:{}", "0x7f.1:{}", "0.0.0.0:{}", "[::ffff:127.0.0.1]:{}", "[::]:{}", "x.localhost:{}"]


@pytest.mark.parametrize("namespace", [True, False])
def test_no_page_reaches_a_private_address_in_any_way(canaries: Canaries, namespace: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browser, "NAMESPACE", namespace)
    loopback = next(at for at in canaries.tcp if at.startswith("127.0.0.1"))
    tcp = [*canaries.tcp, *(name.format(loopback.rpartition(":")[2]) for name in NAMED)]
    html = REACH.replace("%TCP%", json.dumps(tcp)).replace("%UDP%", json.dumps(canaries.udp))
    report = look(html, "(await new Promise((done) => setTimeout(done, 1200)), 'leak' in window === false)", seconds=25)
    assert report.loaded
    assert canaries.hits == []
    assert ("namespace" in report.isolation) <= namespace
    assert [check.status for check in report.checks] == ["pass"]
    assert {at.partition(":")[0] for at in canaries.tcp} >= {"127.0.0.1"}
    assert sum(failure.place == "private" for failure in report.failed) >= 10
