-- Files of deleted recordings, by the node that has them.

-- +goose Up
CREATE INDEX calls_files_gone ON calls (node, record_gone_at, session) WHERE record_gone_at > 0 AND record_place = '';
