"""Names that may be published, and what becomes of the others."""

import random
import unicodedata

import pytest

from tasks.errors import NameRefused
from tasks.files.paths import MAX_LENGTH, attachment_path, clean_path, conflicts, extension


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("index.html", "index.html"),
        ("README.md", "README.md"),
        ("./app.js", "app.js"),
        ("/app.js", "app.js"),
        (".//./app.js", "app.js"),
        ("css\\site.css", "css/site.css"),
        (" notes.txt ", "notes.txt"),
        ("my notes.txt", "my-notes.txt"),
        ("a/b/c/d.json", "a/b/c/d.json"),
        ("_includes/_part.html", "_includes/_part.html"),
        ("data.json.js", "data.json.js"),
        ("Dockerfile", "Dockerfile"),
        ("Procfile", "Procfile"),
        ("requirements.txt", "requirements.txt"),
        ("site.webmanifest", "site.webmanifest"),
        ("logo.PNG", "logo.PNG"),
        ("git.js", "git.js"),
        ("console.js", "console.js"),
        ("docs/CNAME.md", "docs/CNAME.md"),
        ("license-picker.js", "license-picker.js"),
    ],
)
def test_a_good_name_is_kept_and_a_clear_slip_is_mended(name: str, path: str) -> None:
    assert clean_path(name) == path


REFUSED = {
    "": "no file",
    " ": "no file",
    "/": "no file",
    "folder/": "no file",
    "..": "leaves",
    "../x.txt": "leaves",
    "..\\x.txt": "leaves",
    "a/../../x.txt": "leaves",
    "index.html/../../x": "leaves",
    ".": "dot or a space",
    "a//b.txt": "allowed",
    "a/./b.txt": "dot or a space",
    "C:\\x.txt": "allowed",
    "~/x.txt": "allowed",
    "x.txt;rm": "allowed",
    "a:b.txt": "allowed",
    "$HOME.txt": "allowed",
    "-rf.txt": "allowed",
    "café.html": "allowed",
    "ｉndex.html": "allowed",
    ".bashrc": "allowed",
    ".well-known/x.json": "allowed",
    "a/b/c/d/e.txt": "folders deep",
    "x" * 97 + ".txt": "longer than 100",
    "x\x00.txt": "invisible",
    "x\ny.txt": "invisible",
    "x\u202etxt.html": "invisible",
    "x\u200b.txt": "invisible",
    ".g\u200cit/config": "invisible",
    "x\ud800.txt": "invisible",
    ".git/config": "git itself",
    ".GIT/hooks/x.sh": "git itself",
    ".git": "git itself",
    ".git.": "git itself",
    "a/.git /b.txt": "git itself",
    "git~1": "git itself",
    "GIT~1/config": "git itself",
    ".gitignore": "git itself",
    ".gitmodules": "git itself",
    ".gitattributes": "git itself",
    "name./x.txt": "dot or a space",
    "x.txt.": "dot or a space",
    "a /b.txt": "dot or a space",
    "a/ b.txt": "dot or a space",
    "CON": "device",
    "aux.txt": "device",
    "a/nul.html": "device",
    "com1.js": "device",
    "LICENSE": "licence",
    "license.TXT": "licence",
    "LICENCE.md": "licence",
    "COPYING": "licence",
    "./LICENSE.js": "licence",
    "UNLICENSE": "licence",
    "CNAME": "service",
    "cname": "service",
    ".nojekyll": "service",
    "_config.yml": "service",
    "_CONFIG.YML": "service",
    ".env": "service",
    ".env.production": "service",
    ".github/workflows/ci.yml": "below .github",
    ".GitHub/dependabot.yml": "below .github",
    "setup.exe": "programs",
    "run.bat": "programs",
    "site.zip": "archives",
    "site.tar.gz": "archives",
    "x.unknownkind": "not published",
    "noextension": "no extension",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_bad_name_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(NameRefused, match=REFUSED[name]):
        clean_path(name)


def test_a_refusal_shows_the_name_without_its_tricks() -> None:
    with pytest.raises(NameRefused) as refused:
        clean_path("evil\u202e\n" + "x" * 500)
    assert refused.value.message.isascii() or "…" in refused.value.message
    assert "\n" not in refused.value.message
    assert len(refused.value.message) < 250


@pytest.mark.parametrize("name", [".github/workflows/ci.yml", "./.github/workflows/deploy-2.yaml"])
def test_a_workflow_is_let_through_under_the_policy(name: str) -> None:
    assert clean_path(name, allow_workflows=True) == name.removeprefix("./")


@pytest.mark.parametrize(
    "name",
    [
        ".github/dependabot.yml",
        ".github/workflows/x.sh",
        ".github/workflows/a/b.yml",
        ".GITHUB/workflows/x.yml",
        ".github/workflows/../x.yml",
        ".github/workflows/.yml",
    ],
)
def test_the_workflow_policy_lets_nothing_else_through(name: str) -> None:
    with pytest.raises(NameRefused):
        clean_path(name, allow_workflows=True)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("data.csv", "data.csv"),
        ("../../note.txt", "note.txt"),
        ("C:\\a\\b.csv", "b.csv"),
        ("/etc/passwd", "passwd"),
        ("README.md", "README.md"),
        ("index.html", "index.html"),
        ("LICENSE", "attachments/LICENSE"),
        ("license.txt", "attachments/license.txt"),
        (".nojekyll", "attachments/.nojekyll"),
        ("CNAME", "attachments/CNAME"),
        ("_config.yml", "attachments/_config.yml"),
        (".env", "attachments/.env"),
        (".github", "attachments/github"),
        (".git", "attachments/git"),
        (".gitmodules", "attachments/gitmodules"),
        ("attachments", "attachments/attachments"),
        ("résumé (1).csv", "resume-1.csv"),
        ("Straße.png", "Strasse.png"),
        ("数据.csv", "数据.csv"),
        ("my file.txt", "my-file.txt"),
        ("a#b?c%20d.txt", "a-b-c-20d.txt"),
        ("x\u202etxt.html", "xtxt.html"),
        ("tool.exe", "tool.exe"),
        ("trailing. ", "trailing"),
        ("", "attachment-1"),
        ("..", "attachment-1"),
        ("///", "attachment-1"),
        ("???", "attachment-1"),
        (".csv", "attachment-1.csv"),
        ("??.csv", "attachment-1.csv"),
        ("aux.txt", "attachment-1.txt"),
        ("CON", "attachment-1"),
        ("\ud800.txt", "attachment-1.txt"),
    ],
)
def test_an_attachment_keeps_its_name_as_far_as_it_is_safe(name: str, path: str) -> None:
    assert attachment_path(name, set()) == path


def test_an_attachment_never_takes_a_taken_name() -> None:
    taken: set[str] = set()
    for name in ["a.txt", "A.TXT", "b/a.txt", "LICENSE", "license", "", "", "e\u0301.txt", "é.txt"]:
        taken.add(attachment_path(name, taken))
    assert taken == {
        "a.txt",
        "A-2.TXT",
        "a-3.txt",
        "attachments/LICENSE",
        "attachments/license-2",
        "attachment-1",
        "attachment-2",
        "e.txt",
        "e-2.txt",
    }


def test_an_attachment_does_not_take_the_name_of_a_folder() -> None:
    assert attachment_path("img", {"img/logo.png"}) == "img-2"


@pytest.mark.parametrize("name", ["a" * 300 + ".txt", "数" * 300 + ".csv", "é" * 300, "a." * 200, "." * 300])
def test_an_attachment_path_fits_every_file_system(name: str) -> None:
    path = attachment_path(name, {"a"})
    assert 0 < len(path) <= MAX_LENGTH
    assert len(path.encode()) < 255


@pytest.mark.parametrize("seed", range(50))
def test_any_attachment_name_gives_a_safe_path(seed: int) -> None:
    chance = random.Random(seed)
    letters = "aB1._- /\\:~#?%*\"'<>|\x00\n\t\u202e\u200déßøłﬁ数字اَ😀\ud800．／"
    taken: set[str] = set()
    for _ in range(40):
        name = "".join(chance.choices(letters, k=chance.randint(0, 12)))
        path = attachment_path(name, taken)
        last = path.removeprefix("attachments/")
        assert "/" not in last
        assert last.strip(". ") and not last.startswith((".git", "-")) and not last.endswith((".", " "))
        assert all(unicodedata.category(character)[0] in "LNM" or character in "._-" for character in last)
        assert path.isascii() or path == unicodedata.normalize("NFC", path)
        assert path.casefold() not in {other.casefold() for other in taken}
        taken.add(path)
    assert conflicts(taken) == []


def test_twins_in_letter_case_conflict() -> None:
    assert [(found.first, found.second) for found in conflicts(["a.js", "b.js", "A.js", "É.js", "e\u0301.js"])] == [
        ("a.js", "A.js"),
        ("É.js", "e\u0301.js"),
    ]


def test_a_file_conflicts_with_a_folder_of_its_name_whichever_comes_first() -> None:
    assert [(found.first, found.second) for found in conflicts(["a", "a/b.js", "c/d.js", "C"])] == [("a", "a/b.js"), ("c/d.js", "C")]


def test_files_of_one_folder_do_not_conflict() -> None:
    assert conflicts(["a/b.js", "A/c.js", "a/d/e.js", "index.html"]) == []


def test_the_extension_is_that_of_the_last_part() -> None:
    assert [extension(path) for path in ["a/b.JS", "a.b/c", ".env", "x.tar.gz"]] == ["js", "", "", "gz"]
