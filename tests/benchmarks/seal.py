"""What it costs to seal and to open 4 KiB: against bare AES-GCM of the same library, and against all that the format needs of it.

    PYTHONPATH=control_plane/src .cache/control-plane-venv/bin/python tests/benchmarks/seal.py [--rounds 400] [--output FILE]

The first pair says what a format costs in which everybody has keys of their own and signs. It has no aim: AES-GCM agrees on
no key and signs nothing. The second says what our code and the JOSE library take on top of the same agreements and signatures.
All are measured in turns in one run; the figure of each is its median.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.concatkdf import ConcatKDFHash
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap, aes_key_wrap
from figures import Figure, publish
from gpuaas.encryption import tenant
from gpuaas.encryption.binding import Binding, DataClass
from gpuaas.encryption.epoch import Chain
from gpuaas.encryption.member import MemberKey

BYTES = 4096
AIM = 3.0
CURVE = ec.SECP256R1()
ROOT = Path(__file__).parents[2]


class Bare:
    """The primitives that an envelope for one reader needs, and nothing around them."""

    def __init__(self, plaintext: bytes) -> None:
        self.plaintext = plaintext
        self.author, self.reader = ec.generate_private_key(CURVE), ec.generate_private_key(CURVE)
        self.key = AESGCM(AESGCM.generate_key(256))
        self.nonce = os.urandom(12)
        self.content = self.key.encrypt(self.nonce, plaintext, b"header")
        self.sealed = self.seal()

    def encrypt(self) -> object:
        return self.key.encrypt(os.urandom(12), self.plaintext, b"header")

    def decrypt(self) -> object:
        return self.key.decrypt(self.nonce, self.content, b"header")

    def seal(self) -> tuple[ec.EllipticCurvePublicKey, bytes, bytes, bytes, bytes]:
        ephemeral, content_key, nonce = ec.generate_private_key(CURVE), AESGCM.generate_key(256), os.urandom(12)
        wrapped = aes_key_wrap(_derived(ephemeral, self.reader.public_key()), content_key)
        content = AESGCM(content_key).encrypt(nonce, self.plaintext, b"header")
        signature = self.author.sign(wrapped + content, ec.ECDSA(SHA256()))
        return ephemeral.public_key(), wrapped, nonce, content, signature

    def open(self) -> object:
        ephemeral, wrapped, nonce, content, signature = self.sealed
        self.author.public_key().verify(signature, wrapped + content, ec.ECDSA(SHA256()))
        content_key = aes_key_unwrap(_derived(self.reader, ephemeral), wrapped)
        return AESGCM(content_key).decrypt(nonce, content, b"header")


def _derived(private: ec.EllipticCurvePrivateKey, public: ec.EllipticCurvePublicKey) -> bytes:
    return ConcatKDFHash(SHA256(), 32, b"ECDH-ES+A256KW").derive(private.exchange(ec.ECDH(), public))


def measure(rounds: int) -> dict[str, float]:
    """Microseconds of each, by name."""
    plaintext = os.urandom(BYTES)
    member = MemberKey.generate("local", "alice")
    chain = Chain.begin(member, "atlas")
    held = chain.unlock(member.agree)
    binding = Binding("local", DataClass.TENANT, "atlas", "5d1c3f0e-8a5e-4c53-9a53-1a4f2f3f6f01", "instance.private", 1)
    envelope = tenant.seal(plaintext, binding, member, chain.current)
    expected = tenant.Expected(binding)
    bare = Bare(plaintext)
    measured: dict[str, Callable[[], object]] = {
        "seal": lambda: tenant.seal(plaintext, binding, member, chain.current),
        "open": lambda: tenant.check(envelope, expected, chain).open_with(held),
        "bare seal": bare.seal,
        "bare open": bare.open,
        "encrypt": bare.encrypt,
        "decrypt": bare.decrypt,
    }
    assert measured["open"]() == measured["bare open"]() == measured["decrypt"]() == plaintext
    taken: dict[str, list[float]] = {name: [] for name in measured}
    for _round in range(rounds):
        for name, what in measured.items():
            began = time.perf_counter()
            what()
            taken[name].append((time.perf_counter() - began) * 1e6)
    return {name: statistics.median(each) for name, each in taken.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=400)
    parser.add_argument("--output", type=Path, default=ROOT / ".cache" / "bench-seal.json")
    options = parser.parse_args()
    took = measure(options.rounds)
    figures = [
        Figure("seal 4 KiB, against its primitives", took["seal"], took["bare seal"], AIM, "us"),
        Figure("open 4 KiB, against its primitives", took["open"], took["bare open"], AIM, "us"),
    ]
    unjudged = [
        f"{what} 4 KiB, against AES-GCM alone: {took[what]:.1f} us against {took[than]:.1f} us, {took[what] / took[than]:.0f} x"
        for what, than in (("seal", "encrypt"), ("open", "decrypt"))
    ]
    table = [*map(str, figures), *unjudged]
    publish({"table": table, "figures": [asdict(figure) for figure in figures], "us": took}, options.output)


if __name__ == "__main__":
    main()
