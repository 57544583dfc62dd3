"""Everything that encryption refuses, by name. A reason's id is stable: clients, logs and tests go by it."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """One id for each cause; ``ADVICE`` says what to do about it."""

    # What is wrong with an envelope in itself.
    ENVELOPE_OVERSIZE = "envelope_oversize"
    ENVELOPE_MALFORMED = "envelope_malformed"
    ENVELOPE_BASE64URL = "envelope_base64url"
    ENVELOPE_DUPLICATE_NAME = "envelope_duplicate_name"
    ENVELOPE_UNPROTECTED = "envelope_unprotected"
    ENVELOPE_VERSION = "envelope_version"
    ENVELOPE_ALGORITHM = "envelope_algorithm"
    # Who made it, for whom.
    ENVELOPE_AUTHOR = "envelope_author"
    ENVELOPE_SIGNATURE = "envelope_signature"
    ENVELOPE_RECIPIENT = "envelope_recipient"
    ENVELOPE_DECRYPTION = "envelope_decryption"
    # It is a good one, but not the one that was asked for.
    ENVELOPE_ENVIRONMENT = "envelope_environment"
    ENVELOPE_DATA_CLASS = "envelope_data_class"
    ENVELOPE_PROJECT = "envelope_project"
    ENVELOPE_EVENT_ID = "envelope_event_id"
    ENVELOPE_TYPE = "envelope_type"
    ENVELOPE_SCHEMA_VERSION = "envelope_schema_version"
    ENVELOPE_REPLAYED = "envelope_replayed"
    # The epoch that it was sealed under.
    ENVELOPE_EPOCH_STALE = "envelope_epoch_stale"
    ENVELOPE_EPOCH_UNKNOWN = "envelope_epoch_unknown"
    ENVELOPE_EPOCH_KEY = "envelope_epoch_key"
    # Records of epochs.
    EPOCH_MALFORMED = "epoch_malformed"
    EPOCH_VERSION = "epoch_version"
    EPOCH_ALGORITHM = "epoch_algorithm"
    EPOCH_PLACE = "epoch_place"
    EPOCH_CHAIN = "epoch_chain"
    EPOCH_SIGNER = "epoch_signer"
    EPOCH_SIGNATURE = "epoch_signature"
    EPOCH_KEY = "epoch_key"
    EPOCH_PIN = "epoch_pin"
    EPOCH_ROLLED_BACK = "epoch_rolled_back"
    EPOCH_CONFLICT = "epoch_conflict"
    EPOCH_NOT_A_MEMBER = "epoch_not_a_member"
    # Files that hold a member's keys.
    KEY_FILE_MISSING = "key_file_missing"
    KEY_FILE_OPEN_TO_OTHERS = "key_file_open_to_others"
    KEY_FILE_MALFORMED = "key_file_malformed"
    KEY_FILE_ENVIRONMENT = "key_file_environment"
    # Platform data.
    PLATFORM_DATA_MALFORMED = "platform_data_malformed"
    PLATFORM_DATA_CONTEXT = "platform_data_context"
    PLATFORM_DATA_DECRYPTION = "platform_data_decryption"
    # Who holds keys, when a process starts.
    SECURITY_MODE_UNKNOWN = "security_mode_unknown"
    SECURITY_FILE_KEYS = "security_file_keys"
    SECURITY_ESCROW = "security_escrow"
    SECURITY_ESCROW_WITHOUT_KMS = "security_escrow_without_kms"
    SECURITY_PUBLIC_DOMAIN = "security_public_domain"
    # Plaintext in the server.
    PLAINTEXT_NOT_HERE = "plaintext_not_here"
    BINDING_INVALID = "binding_invalid"


_ANOTHER = "what the server sent is not what was asked for: ask for the record again, and do not use this one"
_CHANGED = "it was changed on its way or in the store: get it again from its author, and find out who could write there"
_EPOCHS = "do not seal anything to this project until a member has compared the pin with another member's"
_KEY_FILE = "use the file that was written when the member was added, or add a device from one that is there"

ADVICE: dict[Reason, str] = {
    Reason.ENVELOPE_OVERSIZE: "seal less at once: a payload has a bound, and so has the envelope around it",
    Reason.ENVELOPE_MALFORMED: _CHANGED,
    Reason.ENVELOPE_BASE64URL: _CHANGED,
    Reason.ENVELOPE_DUPLICATE_NAME: _CHANGED,
    Reason.ENVELOPE_UNPROTECTED: _CHANGED,
    Reason.ENVELOPE_VERSION: "it was sealed by another version: open it with a client that knows this one",
    Reason.ENVELOPE_ALGORITHM: "no other algorithm is opened: seal it again with a client of this version",
    Reason.ENVELOPE_AUTHOR: "ask the members who wrote this; its author is nobody whose writing was expected",
    Reason.ENVELOPE_SIGNATURE: _CHANGED,
    Reason.ENVELOPE_RECIPIENT: "it was not sealed for this key: open it as one of its readers",
    Reason.ENVELOPE_DECRYPTION: _CHANGED,
    Reason.ENVELOPE_ENVIRONMENT: _ANOTHER,
    Reason.ENVELOPE_DATA_CLASS: _ANOTHER,
    Reason.ENVELOPE_PROJECT: _ANOTHER,
    Reason.ENVELOPE_EVENT_ID: _ANOTHER,
    Reason.ENVELOPE_TYPE: _ANOTHER,
    Reason.ENVELOPE_SCHEMA_VERSION: _ANOTHER,
    Reason.ENVELOPE_REPLAYED: "this record was opened before: use it once, and seal a new one under a new id",
    Reason.ENVELOPE_EPOCH_STALE: "get the project's epoch records, and seal it again under the newest",
    Reason.ENVELOPE_EPOCH_UNKNOWN: "get the project's epoch records, then try again",
    Reason.ENVELOPE_EPOCH_KEY: _EPOCHS,
    Reason.EPOCH_MALFORMED: _EPOCHS,
    Reason.EPOCH_VERSION: "it was made by another version: use a client that knows this one",
    Reason.EPOCH_ALGORITHM: _EPOCHS,
    Reason.EPOCH_PLACE: _EPOCHS,
    Reason.EPOCH_CHAIN: _EPOCHS,
    Reason.EPOCH_SIGNER: _EPOCHS,
    Reason.EPOCH_SIGNATURE: _EPOCHS,
    Reason.EPOCH_KEY: _EPOCHS,
    Reason.EPOCH_PIN: _EPOCHS,
    Reason.EPOCH_ROLLED_BACK: _EPOCHS,
    Reason.EPOCH_CONFLICT: "another member was first: get the project's epoch records, and rotate again if it is still needed",
    Reason.EPOCH_NOT_A_MEMBER: "ask a member of the project to add this key",
    Reason.KEY_FILE_MISSING: _KEY_FILE,
    Reason.KEY_FILE_OPEN_TO_OTHERS: "chmod 600 the file; if others could have read it, a member should start a new epoch without it",
    Reason.KEY_FILE_MALFORMED: _KEY_FILE,
    Reason.KEY_FILE_ENVIRONMENT: _KEY_FILE,
    Reason.PLATFORM_DATA_MALFORMED: _CHANGED,
    Reason.PLATFORM_DATA_CONTEXT: _ANOTHER,
    Reason.PLATFORM_DATA_DECRYPTION: _CHANGED,
    Reason.SECURITY_MODE_UNKNOWN: "set GPUAAS_SECURITY_MODE to LOCAL, STAGING or PROD, in capitals",
    Reason.SECURITY_FILE_KEYS: "set GPUAAS_KEY_PROVIDER to a key of a KMS or to none, and GPUAAS_MEMBER_KEYS to devices",
    Reason.SECURITY_ESCROW: "set GPUAAS_MEMBER_KEYS to devices; members who were made up for STAGING do not come along",
    Reason.SECURITY_ESCROW_WITHOUT_KMS: "set GPUAAS_KEY_PROVIDER to a key of a KMS, or GPUAAS_MEMBER_KEYS to devices",
    Reason.SECURITY_PUBLIC_DOMAIN: "set GPUAAS_SECURITY_MODE to STAGING or PROD, with keys that suit it",
    Reason.PLAINTEXT_NOT_HERE: "open it on a member's device: gpuaas open",
    Reason.BINDING_INVALID: "name it with the characters that the API takes",
}


class RefusedError(Exception):
    """Something was not sealed, opened, wrapped or trusted. ``seen`` never has plaintext or a key in it."""

    def __init__(self, reason: Reason, seen: str, advice: str | None = None) -> None:
        self.reason = reason
        self.seen = seen
        self.advice = ADVICE[reason] if advice is None else advice
        super().__init__(f"{reason}: {seen}\n  -> {self.advice}")
