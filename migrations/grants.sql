-- What the application role may do; run after every migration. It owns nothing, cannot bypass row level security, and may
-- add to the audit, the fact ledger, the operators' library and their acts on questions but never change them.
GRANT USAGE ON SCHEMA public TO {{role}};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {{role}};
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {{role}};
REVOKE UPDATE ON consents FROM {{role}};
REVOKE UPDATE, DELETE ON audit_entries, platform_audit, facts, item_acts, library_versions FROM {{role}};
REVOKE INSERT, UPDATE, DELETE ON goose_db_version FROM {{role}};
