"""Links that prove by themselves that they were made here, for people who are not signed in."""

import base64
import binascii
import hashlib
import hmac

_SIGNATURE_BYTES = 16  # 128 bits: not to be guessed


class LinkSigner:
    """Makes and reads tokens for the addresses of links.

    A token says what it says for ever: put a time into it where that matters.  Whoever knows
    the secret can make any.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < _SIGNATURE_BYTES:
            raise ValueError("the secret is too short")
        self._secret = secret

    def sign(self, purpose: str, text: str) -> str:
        """A token for one purpose; it is good for no other."""
        said = text.encode()
        return _encode(self._signature(purpose, said) + said)

    def find_text(self, purpose: str, token: str) -> str | None:
        """What a token of this purpose says; None where it was not made here."""
        try:
            raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            signature, said = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
            text = said.decode()
        except (binascii.Error, ValueError):
            return None
        if not hmac.compare_digest(signature, self._signature(purpose, said)):
            return None
        return text

    def _signature(self, purpose: str, said: bytes) -> bytes:
        key = hmac.digest(self._secret, f"reunite link {purpose}".encode(), hashlib.sha256)
        return hmac.digest(key, said, hashlib.sha256)[:_SIGNATURE_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
