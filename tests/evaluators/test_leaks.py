"""The check that nothing secret is published. Every key here is made up while the test runs, so that no scanner finds one in this file."""

from __future__ import annotations

import base64
import codecs
import gzip
import io
import random
import string
import zipfile
from urllib.parse import quote

import pytest
from django.conf import LazySettings

from tasks.evaluators.base import Finding, Subject
from tasks.evaluators.leaks import KEY_TITLE, OWN_TITLE, SERVICE_TITLE, Evaluator

SECRET = "p@ss/Wörd+4711-Zebra"
LETTERS = string.ascii_letters + string.digits
_chance = random.Random(11)


def made_up(length: int, letters: str = LETTERS) -> str:
    return "".join(_chance.choices(letters, k=length))


@pytest.fixture(autouse=True)
def _secret(settings: LazySettings) -> None:
    settings.STUDENT_SECRET = SECRET


def look(files: dict[str, bytes], brief: str = "") -> dict[str, Finding]:
    found = [finding for finding in Evaluator().evaluate(Subject(files=files, brief=brief)) if finding.title != SERVICE_TITLE]
    assert all(finding.guards for finding in found)
    assert SECRET not in str(found)
    return {finding.title: finding for finding in found}


def test_a_clean_tree_passes() -> None:
    files = {"index.html": b"<p>hello", "a.png": bytes(range(256)) * 40, "README.md": "# Straße".encode()}
    assert [finding.status for finding in look(files).values()] == ["pass", "pass"]


RAW = SECRET.encode()


@pytest.mark.parametrize(
    "form",
    [
        RAW,
        b"\x00\xff" + RAW + b"\x00",
        SECRET[::-1].encode(),
        RAW.hex().encode(),
        RAW.hex().upper().encode(),
        quote(SECRET, safe="").encode(),
        b"".join(b"%%%02x" % byte for byte in RAW),
        base64.b64encode(RAW),
        base64.b64encode(b"x" + RAW + b"tail"),
        base64.b64encode(b"xy" + RAW),
        base64.urlsafe_b64encode(b"user:" + RAW),
        f"var s = '{SECRET}'".encode("utf-16"),
        f"s = {SECRET}".encode("latin-1"),
    ],
)
def test_our_own_secret_is_found_in_every_form(form: bytes) -> None:
    finding = look({"a/script.js": b"const x = 1 // " + form if form[:2] != b"\xff\xfe" else form})[OWN_TITLE]
    assert finding.status == "fail"
    assert "a/script.js" in finding.reason
    assert "STUDENT_SECRET" in finding.reason


TOKEN = "tok-en_4711Zebra9Crossing"


@pytest.mark.parametrize(
    "disguised",
    [
        "".join(f"&#{ord(letter)};" for letter in TOKEN),
        "".join(f"&#x{ord(letter):x};" for letter in TOKEN),
        "".join(f"\\x{ord(letter):02x}" for letter in TOKEN),
        "".join(f"\\u{ord(letter):04x}" for letter in TOKEN),
        "".join(f"\\u{{{ord(letter):x}}}" for letter in TOKEN),
        "".join(f"\\{ord(letter):03o}" for letter in TOKEN),
        "".join(f"\\{ord(letter):x} " for letter in TOKEN),
        "".join(f"%{ord(letter):02x}" if letter.isdigit() else letter for letter in TOKEN),
        "'" + "' + '".join(TOKEN) + "'",
        '"' + '", "'.join(TOKEN) + '"',
        f"'{TOKEN[:9]}' +\n      '{TOKEN[9:]}'",
        "".join(f"<b>{letter}</b>" for letter in TOKEN),
        " ".join(TOKEN),
        "\n".join(TOKEN),
        "\u200b".join(TOKEN),
        "String.fromCharCode(" + ", ".join(str(ord(letter)) for letter in TOKEN) + ")",
        "[" + ", ".join(f"0x{ord(letter):02x}" for letter in TOKEN) + "]",
        " ".join(f"{ord(letter):02X}" for letter in TOKEN),
        base64.b32encode(TOKEN.encode()).decode(),
        base64.b85encode(TOKEN.encode()).decode(),
        base64.a85encode(TOKEN.encode()).decode(),
        base64.b64encode(base64.b64encode(TOKEN.encode())).decode(),
        "\n".join(base64.b64encode(b"value: " + TOKEN.encode()).decode()),
        codecs.encode(TOKEN, "rot13"),
    ],
)
def test_a_disguise_that_a_page_or_a_program_takes_off_is_seen_through(disguised: str, settings: LazySettings) -> None:
    settings.STUDENT_SECRET = TOKEN
    page = f"<!doctype html><title>x</title><script>\nconst it = {disguised};\n</script>".encode()
    for data in (page, page.decode().encode("utf-16")):
        finding = look({"index.html": data})[OWN_TITLE]
        assert finding.status == "fail"
        assert TOKEN not in str(finding)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_a_text_without_a_mark_of_its_encoding_is_read(encoding: str, settings: LazySettings) -> None:
    settings.STUDENT_SECRET = TOKEN
    assert look({"a.txt": f"it is {TOKEN}".encode(encoding)})[OWN_TITLE].status == "fail"


def test_what_is_packed_is_unpacked(settings: LazySettings) -> None:
    settings.STUDENT_SECRET = TOKEN
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", f"<t>{TOKEN}</t>")
    for data in (packed.getvalue(), gzip.compress(TOKEN.encode())):
        assert TOKEN.encode() not in data
        assert look({"data.xlsx": data})[OWN_TITLE].status == "fail"


@pytest.mark.parametrize("bomb", [gzip.compress(bytes(200_000_000)), b"\x1f\x8bnot gzip", b"PK\x03\x04not a zip", b"\x1f\x8b"])
def test_a_bomb_or_a_broken_archive_is_no_trouble(bomb: bytes) -> None:
    assert look({"data.db": bomb})[OWN_TITLE].status == "pass"


@pytest.mark.parametrize("value", ["student-portal", "tds-project-one", "blue sky research"])
def test_words_that_are_also_a_secret_are_not_found_in_pieces(value: str, settings: LazySettings) -> None:
    settings.STUDENT_SECRET = value
    spaced = value.replace("-", " ").replace("blue sky", "blue, sky")
    assert look({"index.html": f"<p>Our {spaced} opens in May.</p>".encode()})[OWN_TITLE].status == "pass"


def test_a_secret_as_a_file_name_is_found_and_not_repeated(settings: LazySettings) -> None:
    settings.STUDENT_SECRET = "zebra-4711-crossing"
    finding = look({"zebra-4711-crossing.txt": b"x"})[OWN_TITLE]
    assert finding.status == "fail"
    assert "zebra" not in str(finding)


@pytest.mark.parametrize("value", ["student", "pass123"])
def test_a_value_that_is_an_ordinary_word_does_not_stop_everything(settings: LazySettings, value: str) -> None:
    settings.STUDENT_SECRET = value
    assert look({"index.html": f"every {value} here".encode()})[OWN_TITLE].status == "pass"


@pytest.mark.parametrize(
    "key",
    [
        "ghp_" + made_up(36),
        "github_pat_" + made_up(22) + "_" + made_up(59),
        "AIza" + made_up(35),
        "sk-" + made_up(48) + "A1",
        "sk-proj-" + made_up(40) + "A1",
        "AKIA" + made_up(16, string.ascii_uppercase + "234567"),
        f"eyJ{made_up(20)}.eyJ{made_up(40)}.{made_up(43)}",
        "-----BEGIN RSA PRIVATE KEY-----\n" + made_up(400),
        "-----BEGIN PRIVATE KEY-----\n" + made_up(400),
    ],
)
def test_a_key_of_anybody_is_found(key: str) -> None:
    for content in (f"const key = '{key}';".encode(), key.encode("utf-16")):
        finding = look({"script.js": content})[KEY_TITLE]
        assert finding.status == "fail"
        assert "script.js" in finding.reason
        assert key not in str(finding)


@pytest.mark.parametrize(
    "text",
    [
        "ghp_" + "x" * 36,
        "github_pat_" + "XXXX_" * 12,
        "AIzaSy" + "0" * 33,
        "AKIA" + "IOSFODNN7EXAMPLE",
        "sk-your-api-key-goes-here-1234",
        ".sk-folding-cube-animation-delay { }",
        ".sk-chasing-dot-2-before-after { }",
        "https://api.test/AIza",
        "-----BEGIN PRIVATE KEY-----\n(paste it here)",
        "Bearer eyJ...",
    ],
)
def test_a_stand_in_for_a_key_is_not_one(text: str) -> None:
    assert look({"README.md": text.encode()})[KEY_TITLE].status == "pass"


def test_a_token_that_the_brief_gives_is_no_secret() -> None:
    token = f"eyJ{made_up(20)}.eyJ{made_up(40)}.{made_up(43)}"
    assert look({"index.html": token.encode()}, f"Decode {token} on a page.")[KEY_TITLE].status == "pass"
    assert look({"index.html": token.encode()})[KEY_TITLE].status == "fail"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("SG." + "aB3" * 7 + "x." + "cD4" * 14 + "y", "SendGrid"),
        ("sk_" + "live_" + "4eC39HqLyjWDarjtT1zdp7dc", "Stripe"),
        ("glpat-" + "aB3dE6gH9jK2mN5pQ8sT", "GitLab"),
    ],
)
def test_a_credential_of_a_service_goes_back_to_the_model_but_guards_nothing(text: str, kind: str) -> None:
    subject = Subject(files={"index.html": f"<script>const key = '{text}'</script>".encode()}, brief="A page.")
    found = {finding.title: finding for finding in Evaluator().evaluate(subject)}[SERVICE_TITLE]
    assert (found.status, found.guards) == ("fail", False)
    assert kind in found.reason
    assert text not in str(found)
