import pytest

from stance.errors import UsageError
from stance.serving.access import equal, host_names, is_loopback, read_token, signature

TOKEN = "a-token-made-for-tests-0123"


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True),
        ("127.0.0.2", True),
        ("::1", True),
        ("LocalHost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.0.2.7", False),
        ("localhost.example.org", False),
    ],
)
def test_a_loopback_address_is_this_machine_alone(host, alone):
    assert is_loopback(host) is alone


def test_a_server_answers_for_this_machine_its_address_and_further_names():
    assert host_names("192.0.2.7", ["Scores.Example"]) == (
        *("127.0.0.1", "localhost", "::1"),
        *("192.0.2.7", "scores.example"),
    )


def test_token_comes_from_file_or_environment(tmp_path):
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    assert read_token(path, {}) == TOKEN
    assert read_token(None, {"STANCE_TOKEN": TOKEN}) == TOKEN
    assert read_token(None, {}) is None
    path.write_text("\n")
    with pytest.raises(UsageError, match="empty"):
        read_token(path, {})
    with pytest.raises(UsageError, match="cannot be read"):
        read_token(tmp_path / "none", {})


@pytest.mark.parametrize("given", ["", "a", "é", "\ud800", "?", f"{TOKEN} "])
def test_other_secrets_are_not_equal(given):
    assert equal(given, given)
    assert not equal(given, TOKEN)
    assert equal(given, "\ud800") is (given == "\ud800")


def test_signatures_are_what_older_cookies_carry():
    """HMAC-SHA256, test case 2 of RFC 4231: another one would end every session."""
    expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    assert signature(b"Jefe", "what do ya want for nothing?") == expected
