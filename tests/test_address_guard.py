"""Which addresses somebody else's URL may name: pure decisions, so a table."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from tasks.address_guard import check_addresses, check_target, is_public, is_web_port, parse_url
from tasks.connections import is_ours
from tasks.errors import AddressRefused

# Forms that do not get as far as the service's doors, where whitespace is taken off and what no database can hold is refused.
# The table of everything else is tests/security/vectors.py.
REFUSED_FORMS = [
    "",
    "http://",
    "/path",
    "example.com",
    "data:text/plain,hello",
    " http://example.com/",
    "http://example.com/\n",
    "http://example.com/\x00",
    "http://example.com#@127.0.0.1:22/\x00",
    "http://example.com/\u202e",
    "http://example.com/\ud800",
    "http://.example.com/",
    "http://-example.com/",
    "http://example.com:1023/",
    f"http://{'a' * 64}.com/",
    f"http://{'a.' * 130}com/",
    f"http://example.com/{'a' * 8000}",
]

ALLOWED_URLS = [
    "http://example.com",
    "https://example.com/",
    "HTTPS://Example.COM/Notify?task=1#top",
    "http://example.com:80/",
    "http://example.com:8000/notify",
    "http://example.com:3000/",
    "https://example.com:8443/",
    "http://example.com:5000/",
    "http://example.com./",
    "http://my_evaluator.example.com/",
    "https://xn--bcher-kva.example/",
    "http://1.example.com/",
    "http://1e100.net/",
    "http://8.8.8.8/",
    "http://172.32.0.1:8080/",
    "http://[2606:4700:4700::1111]/",
    "http://[2606:4700:4700::1111]:8000/x",
    "http://example.com/?next=http://127.0.0.1/",
    "http://example.com/user@host",
    "http://example.com/päge",
]


@pytest.fixture(autouse=True)
def nothing_is_let_through(settings):
    settings.ALLOWED_PRIVATE_HOSTS = []


@pytest.mark.parametrize("url", REFUSED_FORMS, ids=ascii)
def test_an_address_that_is_not_plainly_one_is_refused(url):
    with pytest.raises(AddressRefused):
        check_target(parse_url(url))


@pytest.mark.parametrize("url", ALLOWED_URLS, ids=ascii)
def test_a_public_web_address_is_let_through(url):
    check_target(parse_url(url))


# What the standard library's classifier gets wrong in one version of Python or another.
@pytest.mark.parametrize(
    "address",
    ["64:ff9b::7f00:1", "::127.0.0.1", "fec0::1", "224.0.0.1", "ff02::1", "192.88.99.1", "168.63.129.16", "3fff::1", "192.0.0.192", "2002:7f00:1::"],
)
def test_an_address_that_python_may_call_global_is_not_public(address):
    assert not is_public(ip_address(address))


def test_the_machines_own_addresses_are_refused_but_for_the_service_itself(settings):
    settings.PUBLIC_URL = "https://deployer.example"
    addresses = [ip_address("8.8.8.8")]

    with pytest.raises(AddressRefused, match="the machine that this service runs on"):
        check_addresses(parse_url("http://deployer.example:9000/"), addresses, is_ours=lambda _: True)
    check_addresses(parse_url("https://deployer.example/notify"), addresses, is_ours=lambda _: True)
    check_addresses(parse_url("http://deployer.example:9000/"), addresses, is_ours=lambda _: False)


@pytest.mark.parametrize(("address", "ours"), [("127.0.0.1", True), ("::1", True), ("8.8.8.8", False), ("2606:4700::1", False)])
def test_the_kernel_knows_the_machines_own_addresses(address, ours):
    assert is_ours(ip_address(address)) is ours


@pytest.mark.parametrize("address", ["1.1.1.1", "9.255.255.255", "11.0.0.1", "100.63.255.255", "100.128.0.1", "223.255.255.254", "2a00:1450:4001::1"])
def test_an_ordinary_address_is_public(address):
    assert is_public(ip_address(address))


@pytest.mark.parametrize("port", [80, 443, 1024, 3000, 5000, 8000, 8080, 8443, 8888, 9000, 65535])
def test_a_port_that_evaluators_use_is_a_web_port(port):
    assert is_web_port(port)


@pytest.mark.parametrize("port", [1, 21, 22, 23, 25, 53, 110, 143, 445, 587, 1433, 2375, 3306, 3389, 5432, 5900, 6379, 9200, 11211, 27017])
def test_a_port_of_another_service_is_no_web_port(port):
    assert not is_web_port(port)


def test_the_parts_of_a_url_are_what_goes_on_the_wire():
    target = parse_url("HTTP://Example.COM.:8000/a%20b/ü?q=1&r=/#part")

    assert (target.scheme, target.host, target.port, target.literal) == ("http", "example.com", 8000, None)
    assert target.resource == "/a%20b/%C3%BC?q=1&r=/"
    assert target.url == "HTTP://Example.COM.:8000/a%20b/ü?q=1&r=/"


def test_a_url_without_a_path_asks_for_the_root():
    assert parse_url("https://example.com?q=1").resource == "/?q=1"
    assert parse_url("https://example.com").resource == "/"


def test_the_port_follows_from_the_scheme():
    assert parse_url("http://example.com/").port == 80
    assert parse_url("https://example.com/").port == 443


def test_a_literal_address_is_kept_without_brackets():
    target = parse_url("http://[2606:4700:4700:0:0:0:0:1111]:8000/")

    assert target.host == "2606:4700:4700::1111"
    assert target.literal == ip_address("2606:4700:4700::1111")


def test_one_private_address_among_public_ones_refuses_the_name():
    target = parse_url("http://example.com/")
    addresses = [ip_address("8.8.8.8"), ip_address("10.0.0.1"), ip_address("1.1.1.1")]

    with pytest.raises(AddressRefused) as refused:
        check_addresses(target, addresses)
    assert "10.0.0.1" in refused.value.detail
    assert "10.0.0.1" not in refused.value.message  # the poster of a request learns nothing about our network


def test_a_name_with_only_public_addresses_is_let_through():
    check_addresses(parse_url("http://example.com/"), [ip_address("8.8.8.8"), ip_address("2606:4700:4700::1111")])


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:22/"),
        ("127.0.0.1", "http://localhost:8000/"),
        ("10.1.0.0/16", "http://10.1.255.1/"),
        ("10.1.2.3/16", "http://10.1.255.1/"),
        ("::1", "http://[::1]:9/"),
        ("[::1]", "http://[::1]:9/"),
        ("fd00::/8", "http://[fd12::1]/"),
        ("localhost", "http://localhost:5432/"),
        ("Evaluator.Internal.", "http://evaluator.internal:25/"),
    ],
)
def test_what_the_operator_lists_is_let_through_on_any_port(settings, entry, url):
    settings.ALLOWED_PRIVATE_HOSTS = [entry]

    check_target(parse_url(url))


@pytest.mark.parametrize(
    ("entry", "url"),
    [
        ("127.0.0.1", "http://127.0.0.2/"),
        ("127.0.0.1", "http://[::ffff:127.0.0.1]/"),
        ("127.0.0.1", "http://2130706433/"),
        ("127.0.0.1", "http://[::1]/"),
        ("10.1.0.0/16", "http://10.2.0.1/"),
        ("evaluator.internal", "http://db.evaluator.internal:25/"),
        ("evaluator.internal", "http://evaluator.internal:80@10.0.0.1/"),
        ("evaluator.internal", "ftp://evaluator.internal/"),
    ],
)
def test_the_operators_list_lets_nothing_else_through(settings, entry, url):
    settings.ALLOWED_PRIVATE_HOSTS = [entry]

    with pytest.raises(AddressRefused):
        check_target(parse_url(url))


def test_a_listed_name_may_stand_for_any_address(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["evaluator.internal"]

    check_addresses(parse_url("http://evaluator.internal:9999/"), [ip_address("10.0.0.1")])


def test_a_listed_address_is_let_through_under_any_name(settings):
    settings.ALLOWED_PRIVATE_HOSTS = ["10.0.0.1"]

    check_addresses(parse_url("http://evaluator.internal:9999/"), [ip_address("10.0.0.1")])
