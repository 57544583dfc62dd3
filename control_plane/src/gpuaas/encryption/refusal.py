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
    # What is wrong with an epoch's record in itself.
    EPOCH_OVERSIZE = "epoch_oversize"
    EPOCH_MALFORMED = "epoch_malformed"
    EPOCH_BASE64URL = "epoch_base64url"
    EPOCH_DUPLICATE_NAME = "epoch_duplicate_name"
    EPOCH_UNPROTECTED = "epoch_unprotected"
    EPOCH_VERSION = "epoch_version"
    EPOCH_ALGORITHM = "epoch_algorithm"
    EPOCH_SIGNATURE = "epoch_signature"
    EPOCH_RECIPIENT = "epoch_recipient"
    EPOCH_DECRYPTION = "epoch_decryption"
    # It is a good record, but not of this chain.
    EPOCH_ENVIRONMENT = "epoch_environment"
    EPOCH_PROJECT = "epoch_project"
    EPOCH_CHAIN = "epoch_chain"
    EPOCH_SIGNER = "epoch_signer"
    EPOCH_KEY = "epoch_key"
    EPOCH_PIN = "epoch_pin"
    EPOCH_ROLLED_BACK = "epoch_rolled_back"
    EPOCH_CONFLICT = "epoch_conflict"
    # Files that hold a member's keys.
    KEY_FILE_MISSING = "key_file_missing"
    KEY_FILE_OPEN_TO_OTHERS = "key_file_open_to_others"
    KEY_FILE_MALFORMED = "key_file_malformed"
    KEY_FILE_ENVIRONMENT = "key_file_environment"
    # Platform data.
    PLATFORM_DATA_OVERSIZE = "platform_data_oversize"
    PLATFORM_DATA_MALFORMED = "platform_data_malformed"
    PLATFORM_DATA_VERSION = "platform_data_version"
    PLATFORM_DATA_CONTEXT = "platform_data_context"
    PLATFORM_DATA_DECRYPTION = "platform_data_decryption"
    # What workflows hand to each other.
    PAYLOAD_MALFORMED = "payload_malformed"
    PAYLOAD_VERSION = "payload_version"
    PAYLOAD_CONTEXT = "payload_context"
    PAYLOAD_KEY_UNKNOWN = "payload_key_unknown"
    PAYLOAD_DECRYPTION = "payload_decryption"
    # The root key in a file.
    ROOT_FILE_MISSING = "root_file_missing"
    ROOT_FILE_EXISTS = "root_file_exists"
    ROOT_FILE_OPEN_TO_OTHERS = "root_file_open_to_others"
    ROOT_FILE_MALFORMED = "root_file_malformed"
    ROOT_FILE_ENVIRONMENT = "root_file_environment"
    ROOT_FILE_UNREADABLE = "root_file_unreadable"
    ROOT_FILE_UNWRITABLE = "root_file_unwritable"
    ROOT_ROTATION_BUSY = "root_rotation_busy"
    # The root key, wherever it is.
    ROOT_NONE = "root_none"
    ROOT_ANOTHER = "root_another"
    ROOT_VERSION_MISSING = "root_version_missing"
    # The root key in a KMS.
    KMS_DENIED = "kms_denied"
    KMS_CREDENTIALS = "kms_credentials"
    KMS_THROTTLED = "kms_throttled"
    KMS_UNREACHABLE = "kms_unreachable"
    KMS_TIMEOUT = "kms_timeout"
    KMS_KEY_DISABLED = "kms_key_disabled"
    KMS_KEY_DELETED = "kms_key_deleted"
    KMS_KEY_MISSING = "kms_key_missing"
    KMS_FAILED = "kms_failed"
    # A key that the root key wraps.
    WRAPPED_KEY_MALFORMED = "wrapped_key_malformed"
    WRAPPED_KEY_REFUSED = "wrapped_key_refused"
    WRAPPED_KEY_CONTEXT = "wrapped_key_context"
    WRAPPED_KEY_SIZE = "wrapped_key_size"
    # Who holds keys, when a process starts.
    SECURITY_MODE_UNKNOWN = "security_mode_unknown"
    SECURITY_FILE_KEYS = "security_file_keys"
    SECURITY_ESCROW = "security_escrow"
    SECURITY_ESCROW_WITHOUT_KMS = "security_escrow_without_kms"
    SECURITY_PUBLIC_DOMAIN = "security_public_domain"
    # Plaintext in the server.
    PLAINTEXT_NOT_HERE = "plaintext_not_here"
    PLAINTEXT_NOT_A_MEMBER = "plaintext_not_a_member"
    PLAINTEXT_ROLE = "plaintext_role"
    PLAINTEXT_PURPOSE = "plaintext_purpose"
    PLAINTEXT_NO_KEY = "plaintext_no_key"
    BINDING_INVALID = "binding_invalid"


_ANOTHER = "what the server sent is not what was asked for: ask for the record again, and do not use this one"
_CHANGED = "it was changed on its way or in the store: get it again from its author, and find out who could write there"
_EPOCHS = "do not seal anything to this project until a member has compared the pin with another member's"
_KEY_FILE = "use the file that was written when the member was added, or add a device from one that is there"
_WORKFLOW = "it was changed at Temporal: find out who could write there, terminate the workflow, and restart the worker"
_ROOT_FILE = "put the file back from a copy of the run's directory"

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
    Reason.EPOCH_OVERSIZE: _EPOCHS,
    Reason.EPOCH_MALFORMED: _EPOCHS,
    Reason.EPOCH_BASE64URL: _EPOCHS,
    Reason.EPOCH_DUPLICATE_NAME: _EPOCHS,
    Reason.EPOCH_UNPROTECTED: _EPOCHS,
    Reason.EPOCH_VERSION: "it was made by another version: use a client that knows this one",
    Reason.EPOCH_ALGORITHM: _EPOCHS,
    Reason.EPOCH_SIGNATURE: _EPOCHS,
    Reason.EPOCH_RECIPIENT: "ask a member of the project to start an epoch with this key",
    Reason.EPOCH_DECRYPTION: _EPOCHS,
    Reason.EPOCH_ENVIRONMENT: _EPOCHS,
    Reason.EPOCH_PROJECT: _EPOCHS,
    Reason.EPOCH_CHAIN: _EPOCHS,
    Reason.EPOCH_SIGNER: _EPOCHS,
    Reason.EPOCH_KEY: _EPOCHS,
    Reason.EPOCH_PIN: _EPOCHS,
    Reason.EPOCH_ROLLED_BACK: _EPOCHS,
    Reason.EPOCH_CONFLICT: "another member was first: get the project's epoch records, and rotate again if it is still needed",
    Reason.KEY_FILE_MISSING: _KEY_FILE,
    Reason.KEY_FILE_OPEN_TO_OTHERS: "chmod 600 the file; if others could have read it, a member should start a new epoch without it",
    Reason.KEY_FILE_MALFORMED: _KEY_FILE,
    Reason.KEY_FILE_ENVIRONMENT: _KEY_FILE,
    Reason.PLATFORM_DATA_OVERSIZE: "seal less at once",
    Reason.PLATFORM_DATA_MALFORMED: _CHANGED,
    Reason.PLATFORM_DATA_VERSION: "it was sealed by another version of the platform: roll that one out, or seal it again",
    Reason.PLATFORM_DATA_CONTEXT: _ANOTHER,
    Reason.PLATFORM_DATA_DECRYPTION: _CHANGED,
    Reason.PAYLOAD_MALFORMED: _WORKFLOW,
    Reason.PAYLOAD_VERSION: "roll out the version of the control plane that sealed it; the workflow then goes on",
    Reason.PAYLOAD_CONTEXT: _WORKFLOW,
    Reason.PAYLOAD_KEY_UNKNOWN: (
        "put the version that sealed it back into the keyring temporal_payload_keyring, and bring the platform up: the"
        " workflow then goes on"
    ),
    Reason.PAYLOAD_DECRYPTION: _WORKFLOW,
    Reason.ROOT_FILE_MISSING: f"{_ROOT_FILE}; nothing makes a new one while data needs the old",
    Reason.ROOT_FILE_EXISTS: "use the root key that is there, or name another file",
    Reason.ROOT_FILE_OPEN_TO_OTHERS: "chmod 600 the file; if others could have read it, rotate the root key, and rewrap what it wrapped",
    Reason.ROOT_FILE_MALFORMED: _ROOT_FILE,
    Reason.ROOT_FILE_ENVIRONMENT: "name the file of this environment in GPUAAS_KEY_PROVIDER",
    Reason.ROOT_FILE_UNREADABLE: "make it a file that the process may read, in the directory that GPUAAS_KEY_PROVIDER names",
    Reason.ROOT_FILE_UNWRITABLE: "rotate it where it is written: make parity-secrets-rotate, for a file that the platform delivers",
    Reason.ROOT_ROTATION_BUSY: "wait until the other rotation has ended; what it did counts for both",
    Reason.ROOT_NONE: "set GPUAAS_KEY_PROVIDER to a key of a KMS",
    Reason.ROOT_ANOTHER: "name the root key that wrapped it in GPUAAS_KEY_PROVIDER; it may be that of another environment",
    Reason.ROOT_VERSION_MISSING: "put the version back from a copy of the keyring: a version stays as long as something is wrapped by it",
    Reason.KMS_DENIED: "let this identity use the key: kms:Encrypt, kms:Decrypt, kms:ReEncrypt*, kms:DescribeKey",
    Reason.KMS_CREDENTIALS: "give the process an identity that the KMS knows: a web identity token, or a file of credentials",
    Reason.KMS_THROTTLED: "try again later; raise the quota of the KMS when it stays so",
    Reason.KMS_UNREACHABLE: "look at the address in GPUAAS_KEY_PROVIDER and at the way there; nothing was lost",
    Reason.KMS_TIMEOUT: "try again; look at the KMS and at the way there when it stays so",
    Reason.KMS_KEY_DISABLED: "enable the key: aws kms enable-key",
    Reason.KMS_KEY_DELETED: "stop its deletion while there is time: aws kms cancel-key-deletion, then aws kms enable-key",
    Reason.KMS_KEY_MISSING: "look at the alias in GPUAAS_KEY_PROVIDER; what a deleted key wrapped is lost",
    Reason.KMS_FAILED: "read the code that the KMS answered",
    Reason.WRAPPED_KEY_MALFORMED: _CHANGED,
    Reason.WRAPPED_KEY_REFUSED: "unwrap it with the context that it was wrapped with; if that is right, it was changed in the store",
    Reason.WRAPPED_KEY_CONTEXT: "give a context of texts in Unicode, of at most 8192 bytes in all",
    Reason.WRAPPED_KEY_SIZE: "wrap a key, not data: 1 to 4096 bytes",
    Reason.SECURITY_MODE_UNKNOWN: "set GPUAAS_SECURITY_MODE to LOCAL, STAGING or PROD, in capitals",
    Reason.SECURITY_FILE_KEYS: "set GPUAAS_KEY_PROVIDER to a key of a KMS or to none, and GPUAAS_MEMBER_KEYS to devices",
    Reason.SECURITY_ESCROW: "set GPUAAS_MEMBER_KEYS to devices; members who were made up for STAGING do not come along",
    Reason.SECURITY_ESCROW_WITHOUT_KMS: "set GPUAAS_KEY_PROVIDER to a key of a KMS, or GPUAAS_MEMBER_KEYS to devices",
    Reason.SECURITY_PUBLIC_DOMAIN: "set GPUAAS_SECURITY_MODE to STAGING or PROD, with keys that suit it",
    Reason.PLAINTEXT_NOT_HERE: "open it on a member's device: gpuaas open",
    Reason.PLAINTEXT_NOT_A_MEMBER: "log in as somebody who belongs to the project",
    Reason.PLAINTEXT_ROLE: "ask for the role that reads tenant data in staging",
    Reason.PLAINTEXT_PURPOSE: "say what it is opened for: the word becomes part of an audit event",
    Reason.PLAINTEXT_NO_KEY: "open it on a member's device: gpuaas open",
    Reason.BINDING_INVALID: "name it with the characters that the API takes",
}


class Kind(StrEnum):
    """What is looked at; the reasons that it shares with others begin with its name."""

    ENVELOPE = "envelope"
    EPOCH = "epoch"


def refused(kind: Kind, cause: str, seen: str) -> RefusedError:
    """The refusal of ``kind`` for a ``cause`` that every kind has, such as ``malformed``."""
    return RefusedError(Reason(f"{kind}_{cause}"), f"the {kind} {seen}")


class RefusedError(Exception):
    """Something was not sealed, opened, wrapped or trusted. ``seen`` never has plaintext or a key in it."""

    def __init__(self, reason: Reason, seen: str, advice: str | None = None) -> None:
        self.reason = reason
        self.seen = seen
        self.advice = ADVICE[reason] if advice is None else advice
        super().__init__(f"{reason}: {seen}\n  -> {self.advice}")
