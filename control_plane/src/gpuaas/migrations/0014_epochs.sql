-- Epochs of a project's encryption (gpuaas.encryption.epoch): a record is one signed text, whole or not there. Two who start
-- the same epoch at once find out by the key. Nothing here is secret to the database, and nobody can change a record without
-- its readers seeing that; it is kept from being changed or lost all the same, so that they need not see it.
CREATE TABLE epochs (
    project     text NOT NULL,
    number      integer NOT NULL CHECK (number >= 1),
    record      text NOT NULL CHECK (octet_length(record) <= 262144),
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, number)
);

CREATE FUNCTION epochs_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the record of an epoch is neither changed nor removed' USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER epochs_stay BEFORE UPDATE OR DELETE ON epochs FOR EACH ROW EXECUTE FUNCTION epochs_stay();

-- What of an instance is for the members of its project alone, as one of them sealed it. A record is kept once, under the id
-- that its author chose.
CREATE TABLE instance_envelopes (
    instance_id  uuid PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
    project      text NOT NULL,
    event_id     uuid NOT NULL,
    envelope     text NOT NULL,
    UNIQUE (project, event_id)
);
-- What is sealed cannot be compressed, and need not be tried.
ALTER TABLE instance_envelopes ALTER COLUMN envelope SET STORAGE EXTERNAL;

-- Public keys of members; where the security mode allows it the private ones as well, wrapped by the root key.
CREATE TABLE members (
    project     text NOT NULL,
    kid         text NOT NULL,
    name        text NOT NULL,
    public      jsonb NOT NULL,
    escrow      text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (project, kid)
);
