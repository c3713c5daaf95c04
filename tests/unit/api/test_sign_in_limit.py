from reunite.app.throttle import SIGN_IN_WINDOW, SIGN_INS_AN_ACCOUNT
from tests.unit.api.conftest import Client, World


def test_guessing_a_password_is_slowed_down(client: Client, world: World) -> None:
    guess = {"email": "Anna@example.org ", "password": "guess"}
    for _ in range(SIGN_INS_AN_ACCOUNT):
        assert client.post("/sessions", json=guess).status_code == 401
    # Another spelling of the same address is the same account.
    answer = client.post("/sessions", json={**guess, "email": "anna@example.org"})
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) == SIGN_IN_WINDOW.total_seconds()
    assert client.post("/sessions", json={**guess, "email": "b@c.de"}).status_code == 401
    world.clock.advance(SIGN_IN_WINDOW)
    assert client.post("/sessions", json=guess).status_code == 401
