"""What a container did to a body is undone, and what the file means to hold is left alone."""

import pytest

from tasks.generators.answer_shapes.mend import Unusable, content


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("re.js", "const words = text.split(/\\s+/);const lines = text.split('\\n');const all = lines.join('\\n');\n"),
        ("min.js", 'a("x\\ny");b("z\\n");c();\n'),
        ("one.json", '{"text":"a\\nb\\nc"}\n'),
        ("path.txt", "C:\\new\\notes\\names\n"),
        ("slashes.md", "Use \\n and \\r\\n to end lines.\n"),
        ("token.txt", "YWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo=\n"),
        ("notes.md", "Write &lt;b&gt; here.\n"),
        ("escape.js", "const map = {'<': '&lt;', '&': '&amp;'};\n"),
        ("snippet.md", "```bash\nmake\n```\n"),
        ("snippet.txt", "```\nmake\n```\nand more\n"),
        ("words.txt", "html\nis a language\n"),
        ("indent.py", "\n\ndef f():\n\treturn 1  \n"),
        ("table.csv", "a;b\n1;2\n"),
    ],
)
def test_honest_content_comes_out_byte_for_byte(path: str, body: str) -> None:
    assert content(path, body) == (body.encode(), [])


@pytest.mark.parametrize(
    ("path", "body", "mended"),
    [
        ("a.css", "```css\na {}\n```\nThat is the style.\n", "a {}\n"),
        ("a.css", "css\na {}\n", "a {}\n"),
        ("a.md", "```markdown\n# A\n\n```sh\nx\n```\n```\n", "# A\n\n```sh\nx\n```\n"),
        ("a.py", 'def f():\\n    return \\"x\\"\\n\\nf()\\n', 'def f():\n    return "x"\n\nf()\n'),
        ("a.json", '{\\n  \\"a\\": 1\\n}', '{\n  "a": 1\n}\n'),
        ("a.js", "if (a &amp;&amp; b) f(() =&gt; &quot;x&quot;);\n", 'if (a && b) f(() => "x");\n'),
        ("a.txt", "data:text/plain;base64,aGVsbG8gd29ybGQ=\n", "hello world\n"),
        ("a.txt", "\ufeffone\r\ntwo\rthree\x00\n\n\n", "one\ntwo\nthree\n"),
        ("a.txt", "no line end", "no line end\n"),
    ],
)
def test_a_mangled_body_is_restored(path: str, body: str, mended: str) -> None:
    assert content(path, body)[0].decode() == mended


def test_what_was_mended_is_noted() -> None:
    assert content("a.css", "```css\na {}\n```\n")[1] == ["a.css: a fence around the whole file was taken off"]


@pytest.mark.parametrize(
    ("path", "body"), [("a.png", "a picture of a harbour at dawn"), ("a.png", "aGVsbG8gd29ybGQsIGhlbGxv"), ("a.txt", " \n\n"), ("a.js", "")]
)
def test_a_body_that_cannot_be_the_file_is_refused(path: str, body: str) -> None:
    with pytest.raises(Unusable):
        content(path, body)
