import pytest
from hypothesis import given
from hypothesis import strategies as st

from reunite.kernel.tokens import LinkSigner

SIGNER = LinkSigner(b"a secret of sixteen bytes or more")


@given(st.text(), st.text())
def test_a_token_says_what_was_signed(purpose: str, text: str) -> None:
    assert SIGNER.find_text(purpose, SIGNER.sign(purpose, text)) == text


@given(st.text())
def test_nothing_else_is_a_token(token: str) -> None:
    assert SIGNER.find_text("x", token) is None


@given(st.integers(0), st.integers(1, 255))
def test_a_token_that_was_changed_says_nothing(position: int, change: int) -> None:
    token = bytearray(SIGNER.sign("x", "42 email").encode())
    position %= len(token)
    token[position] ^= change
    changed = token.decode("latin-1")
    # The last character of base64 may hold bits that mean nothing.
    assert SIGNER.find_text("x", changed) in {None, "42 email"}
    if position < len(token) - 1:
        assert SIGNER.find_text("x", changed) is None


def test_a_token_is_good_for_its_purpose_and_secret_only() -> None:
    token = SIGNER.sign("x", "42")
    assert SIGNER.find_text("y", token) is None
    assert LinkSigner(b"another secret, as long as it is").find_text("x", token) is None


def test_a_short_secret_is_none() -> None:
    with pytest.raises(ValueError, match="short"):
        LinkSigner(b"short")
