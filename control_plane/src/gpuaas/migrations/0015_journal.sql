-- How far the journal of each project is: its newest entry, and where a reader begins, which is 0 unless entries before were
-- lost and somebody said so. A row is made before the first entry, so that what is not journalled yet does not expire.
CREATE TABLE journal_heads (
    project        text PRIMARY KEY,
    number         bigint NOT NULL CHECK (number >= 0),
    digest         bytea NOT NULL CHECK (length(digest) = 32),
    start_number   bigint NOT NULL DEFAULT 0 CHECK (start_number BETWEEN 0 AND number),
    start_digest   bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex') CHECK (length(start_digest) = 32)
);

-- It is what the journal is compared with, so nobody writes it but who writes the journal; the API reads it.
ALTER TABLE journal_heads ENABLE ROW LEVEL SECURITY;
CREATE POLICY anybody_reads ON journal_heads FOR SELECT USING (true);
CREATE POLICY its_worker_adds ON journal_heads FOR INSERT WITH CHECK (current_user = 'gpuaas_journal');
CREATE POLICY its_worker_changes ON journal_heads FOR UPDATE USING (current_user = 'gpuaas_journal');

-- The entry that an event became, and the digest that this entry has of the one before it: enough to write it once more.
ALTER TABLE outbox ADD COLUMN journal_number bigint;
ALTER TABLE outbox ADD COLUMN journal_previous bytea;
ALTER TABLE outbox ADD CONSTRAINT outbox_journal_check CHECK ((journal_number IS NULL) = (journal_previous IS NULL)) NOT VALID;
CREATE INDEX outbox_not_journalled ON outbox (id) WHERE journal_number IS NULL;

INSERT INTO role_rights (role, relation, privilege) VALUES
    ('gpuaas_journal', 'outbox', 'SELECT'),
    ('gpuaas_journal', 'outbox', 'UPDATE (journal_number)'),
    ('gpuaas_journal', 'outbox', 'UPDATE (journal_previous)'),
    ('gpuaas_journal', 'instances', 'SELECT (id)'),
    ('gpuaas_journal', 'instances', 'SELECT (project)'),
    ('gpuaas_journal', 'journal_heads', 'SELECT'),
    ('gpuaas_journal', 'journal_heads', 'INSERT'),
    ('gpuaas_journal', 'journal_heads', 'UPDATE'),
    ('gpuaas_journal', 'reports', 'SELECT'),
    ('gpuaas_journal', 'reports', 'INSERT'),
    ('gpuaas_journal', 'reports', 'UPDATE (reported_at)'),
    ('gpuaas_journal', 'reports', 'UPDATE (content)');
