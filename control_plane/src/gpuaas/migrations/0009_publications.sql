-- Which publication of an event is the one that counts: null for the first, another one each time that it is published again.
ALTER TABLE outbox ADD COLUMN publication uuid;

INSERT INTO role_rights (role, relation, privilege) VALUES ('gpuaas_relay', 'outbox', 'UPDATE (publication)');
