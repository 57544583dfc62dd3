-- What workers last said: of themselves, and of what they alone can see, such as the fleet. A row for each role and subject,
-- written again every few seconds; how old it is says whether it still holds.
CREATE TABLE reports (
    role         name NOT NULL DEFAULT current_user,
    about        text NOT NULL,
    reported_at  timestamptz NOT NULL DEFAULT now(),
    content      jsonb NOT NULL,
    PRIMARY KEY (about, role)
);

-- Everybody who reports may write here, and each only what is its own.
ALTER TABLE reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY anybody_reads ON reports FOR SELECT USING (true);
CREATE POLICY its_own_is_added ON reports FOR INSERT WITH CHECK (role = current_user);
CREATE POLICY its_own_is_changed ON reports FOR UPDATE USING (role = current_user) WITH CHECK (role = current_user);
-- For the API, which alone has the right to delete: what nobody says any more expires.
CREATE POLICY old_ones_go ON reports FOR DELETE USING (true);

INSERT INTO role_rights (role, relation, privilege)
SELECT role, 'reports', privilege
FROM unnest(ARRAY['gpuaas_relay', 'gpuaas_notification', 'gpuaas_provisioning', 'gpuaas_runtime']) AS role,
     unnest(ARRAY['SELECT', 'INSERT', 'UPDATE (reported_at)', 'UPDATE (content)']) AS privilege;
