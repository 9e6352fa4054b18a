"""What every store of access tokens does."""

from __future__ import annotations

from domain.access_token import AccessToken, digest_of
from domain.rights import ALL, Right
from tests.support.stores import Stores


def token(name: str, text: str = "secret", *, created_at: float = 7.25, **fields: float) -> AccessToken:
    return AccessToken(
        name=name,
        digest=digest_of(text),
        rights=frozenset({Right.READ, Right.OPERATE}),
        created_at=created_at,
        **fields,
    )


def test_there_is_none_at_first(stores: Stores) -> None:
    assert stores.access_tokens.all() == ()
    assert stores.access_tokens.of(digest_of("secret")) is None
    assert not stores.access_tokens.delete("ci")


def test_a_saved_token_is_found_by_its_digest_with_all_it_holds(stores: Stores) -> None:
    kept = token("чат {1}", expires_at=1_753_000_000.1234567)
    stores.access_tokens.save(kept)
    assert stores.access_tokens.of(digest_of("secret")) == kept
    assert stores.access_tokens.of(digest_of("Secret")) is None
    assert stores.access_tokens.of("secret") is None


def test_tokens_come_by_name_then_age(stores: Stores) -> None:
    for name, text, at in (("ci", "a", 9.0), ("b", "b", 3.0), ("ci", "c", 1.0)):
        stores.access_tokens.save(token(name, text, created_at=at))
    assert [(kept.name, kept.created_at) for kept in stores.access_tokens.all()] == [
        ("b", 3.0),
        ("ci", 1.0),
        ("ci", 9.0),
    ]


def test_deleting_takes_every_token_of_the_name_and_no_other(stores: Stores) -> None:
    for name, text in (("ci", "a"), ("ci", "b"), ("chat", "c")):
        stores.access_tokens.save(token(name, text))
    assert stores.access_tokens.delete("ci")
    assert not stores.access_tokens.delete("ci")
    assert [kept.name for kept in stores.access_tokens.all()] == ["chat"]


def test_saving_the_same_again_replaces_it(stores: Stores) -> None:
    stores.access_tokens.save(token("ci"))
    wider = token("ci").model_copy(update={"rights": ALL})
    stores.access_tokens.save(wider)
    assert stores.access_tokens.all() == (wider,)
