"""What holds of a root key wherever it is: the same tests for a file and for a KMS."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator

import pytest

from gpuaas.encryption.providers import Context, needed, unneeded
from gpuaas.encryption.providers.wrapped import Wrapped
from gpuaas.encryption.refusal import Reason, RefusedError
from support.roots import Roots

KEY = bytes(range(32))
# As AWS's own conformance tests of encryption contexts have them: none, one, ten, many, several bytes to a character,
# beyond the basic multilingual plane.
CONTEXTS: dict[str, Context] = {
    "empty": {},
    "one": {"project": "a"},
    "ten": {f"name{number}": f"value {number}" for number in range(10)},
    "many": {f"n{number}": f"v{number}" for number in range(200)},
    "multibyte": {"größe": "zwölf", "名前": "計算", "имя": "узел"},
    "beyond the BMP": {"🔑": "🗝️", "𒀀": "𐍈", "name": "👩🏽‍💻"},
    "looks alike": {"a": 'b","c":"d', "": "no name", "e": ""},
}


def _refused(reason: Reason, roots: Roots, wrapped: bytes, context: Context) -> None:
    for call in (roots.provider.unwrap, roots.provider.rewrap):
        with pytest.raises(RefusedError) as caught:
            call(wrapped, context)
        assert caught.value.reason is reason


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_what_is_wrapped_unwraps(roots: Roots, context: Context) -> None:
    wrapped = roots.provider.wrap(KEY, context)
    assert KEY not in wrapped
    assert roots.again().unwrap(wrapped, dict(reversed(list(context.items())))) == KEY
    assert roots.provider.wrap(KEY, context) != wrapped


@pytest.mark.parametrize("size", [1, 16, 32, 121, 4096])
def test_sizes(roots: Roots, size: int) -> None:
    assert roots.provider.unwrap(roots.provider.wrap(b"k" * size, {}), {}) == b"k" * size


@pytest.mark.parametrize("size", [0, 4097])
def test_no_size(roots: Roots, size: int) -> None:
    with pytest.raises(RefusedError) as caught:
        roots.provider.wrap(b"k" * size, {})
    assert caught.value.reason is Reason.WRAPPED_KEY_SIZE


def _missing(context: Context) -> Iterator[Context]:
    """Every proper subset of a small context; of a large one those that lack one pair, that have one alone, and none."""
    pairs = list(context.items())
    if len(pairs) <= 4:
        for size in range(len(pairs)):
            yield from map(dict, itertools.combinations(pairs, size))
        return
    yield {}
    for name in itertools.islice(context, 10):
        yield {name: context[name]}
        yield {other: value for other, value in context.items() if other != name}


def _changed(context: Context) -> Iterator[Context]:
    yield {**context, "one more": "value"}
    for name in itertools.islice(context, 10):
        others = {other: value for other, value in context.items() if other != name}
        yield {**context, name: context[name] + "x"}
        yield {**context, name: context[name].swapcase() + " "}
        yield {**others, name + "x": context[name]}
    if len(context) > 1:
        first, second = itertools.islice(context, 2)
        yield {**context, first: context[second], second: context[first]}


@pytest.mark.parametrize("context", CONTEXTS.values(), ids=CONTEXTS)
def test_no_other_context(roots: Roots, context: Context) -> None:
    wrapped = roots.provider.wrap(KEY, context)
    for other in itertools.chain(_missing(context), _changed(context)):
        assert dict(other) != dict(context)
        with pytest.raises(RefusedError) as caught:
            roots.provider.unwrap(wrapped, other)
        assert caught.value.reason is Reason.WRAPPED_KEY_REFUSED
    assert roots.provider.unwrap(wrapped, context) == KEY


@pytest.mark.parametrize(
    "context", [{"name": "\ud800"}, {"\udfff": "x"}, {"n": "v" * 8192}, {"n": 1}, {1: "v"}, {"n": None}]
)
def test_no_context_at_all(roots: Roots, context: Context) -> None:
    wrapped = roots.provider.wrap(KEY, {})
    with pytest.raises(RefusedError) as caught:
        roots.provider.wrap(KEY, context)
    assert caught.value.reason is Reason.WRAPPED_KEY_CONTEXT
    _refused(Reason.WRAPPED_KEY_CONTEXT, roots, wrapped, context)


def test_every_bit_counts(roots: Roots) -> None:
    """Of the body each byte in turn, a bit of it; the text around it is another test's."""
    wrapped = roots.provider.wrap(KEY, {"a": "b"})
    one = Wrapped.decode(wrapped)
    for index in range(len(one.body)):
        body = bytearray(one.body)
        body[index] ^= 1 << (index % 8)
        with pytest.raises(RefusedError) as caught:
            roots.provider.unwrap(Wrapped(one.scheme, one.root, one.version, bytes(body)).encode(), {"a": "b"})
        # A KMS may find the key's name in the body changed.
        assert caught.value.reason in (Reason.WRAPPED_KEY_REFUSED, Reason.KMS_KEY_MISSING, Reason.KMS_DENIED)


def test_cut_short(roots: Roots) -> None:
    wrapped = roots.provider.wrap(KEY, {})
    for end in range(len(wrapped)):
        with pytest.raises(RefusedError) as caught:
            roots.provider.unwrap(wrapped[:end], {})
        assert caught.value.reason in (Reason.WRAPPED_KEY_MALFORMED, Reason.WRAPPED_KEY_REFUSED)


def test_form(roots: Roots) -> None:
    wrapped = roots.provider.wrap(KEY, {})
    prefix, _separator, body = wrapped.rpartition(b".")
    for other in (
        b"",
        wrapped + b"=",
        wrapped + b"\n",
        b" " + wrapped,
        wrapped.replace(b".1.", b".2.", 1),
        prefix + b"." + body.replace(body[-1:], b"+"),
        b"\xff" + wrapped,
    ):
        _refused(Reason.WRAPPED_KEY_MALFORMED, roots, other, {})


def test_another_root_key(roots: Roots) -> None:
    _refused(Reason.ROOT_ANOTHER, roots, roots.another.wrap(KEY, {}), {})
    foreign = Wrapped.decode(roots.provider.wrap(KEY, {}))
    _refused(Reason.ROOT_ANOTHER, roots, Wrapped("vault", foreign.root, foreign.version, foreign.body).encode(), {})


def test_a_rotation_loses_nothing(roots: Roots) -> None:
    first = roots.provider.public()
    wrapped = [roots.provider.wrap(KEY + bytes([number]), {"n": str(number)}) for number in range(3)]
    second = roots.provider.rotate()
    assert second.primary != first.primary
    assert roots.again().public() == second
    new = roots.provider.wrap(KEY, {})
    assert Wrapped.decode(new).version == second.primary
    for number, old in enumerate(wrapped):
        assert roots.again().unwrap(old, {"n": str(number)}) == KEY + bytes([number])
    assert roots.provider.unwrap(new, {}) == KEY


def test_rewrapped_by_the_newest(roots: Roots) -> None:
    old = roots.provider.wrap(KEY, {"a": "b"})
    assert roots.provider.rewrap(old, {"a": "b"}) == old
    primary = roots.provider.rotate().primary
    again = roots.provider.rewrap(old, {"a": "b"})
    assert Wrapped.decode(again).version == primary
    assert roots.again().unwrap(again, {"a": "b"}) == KEY
    assert roots.again().unwrap(old, {"a": "b"}) == KEY
    _refused(Reason.WRAPPED_KEY_REFUSED, roots, old, {"a": "c"})
    _refused(Reason.WRAPPED_KEY_REFUSED, roots, again, {"a": "c"})


def test_what_is_needed(roots: Roots) -> None:
    first = roots.provider.public().primary
    old = roots.provider.wrap(KEY, {})
    second = roots.provider.rotate().primary
    third = roots.provider.rotate().primary
    root, new = roots.provider.public(), roots.provider.wrap(KEY, {})
    assert needed(root, []) == {third}
    assert needed(root, [old, new]) == {first, third}
    if root.versions:
        assert unneeded(root, [old, new]) == (second,)
        assert unneeded(root, [roots.provider.rewrap(old, {}), new]) == (first, second)
    for other, reason in (
        (b"nothing", Reason.WRAPPED_KEY_MALFORMED),
        (Wrapped("vault", "r", "1", b"x").encode(), Reason.ROOT_ANOTHER),
    ):
        with pytest.raises(RefusedError) as caught:
            needed(root, [new, other])
        assert caught.value.reason is reason


def test_rotations_at_once_lose_nothing(roots: Roots) -> None:
    """Each has an effect or is refused by name; what was wrapped meanwhile opens."""
    providers = [roots.again() for _one in range(4)]
    begin, refused, wrapped = threading.Barrier(len(providers)), [], []

    def rotate(index: int) -> None:
        begin.wait()
        try:
            providers[index].rotate()
        except RefusedError as error:
            refused.append(error.reason)
        wrapped.append(providers[index].wrap(KEY, {}))

    before = roots.provider.public()
    threads = [threading.Thread(target=rotate, args=[index]) for index in range(len(providers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    after = roots.provider.public()
    assert set(refused) <= {Reason.ROOT_ROTATION_BUSY}
    assert after.primary != before.primary
    assert len(wrapped) == len(providers)
    assert {roots.provider.unwrap(one, {}) for one in wrapped} == {KEY}
    if after.versions:
        assert len(after.versions) == 1 + len(providers) - len(refused)
