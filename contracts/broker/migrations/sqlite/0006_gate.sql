-- What the gate needs beside history: waivers, the rules of an environment, leases for deploys; and the indexes that keep
-- its questions at the cost of their answers.

-- A breakage that somebody lets pass for a while. Absent names mean every one.
CREATE TABLE waivers (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             TEXT    NOT NULL UNIQUE,
    environment_id   BIGINT  NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    name             TEXT    NOT NULL,
    reason           TEXT    NOT NULL,
    consumer         TEXT,
    consumer_version TEXT,
    provider         TEXT,
    provider_version TEXT,
    created_by       TEXT    NOT NULL,
    created_at       BIGINT  NOT NULL,
    approved_by      TEXT,
    approved_at      BIGINT,
    expires_at       BIGINT  NOT NULL,
    revoked_by       TEXT,
    revoked_at       BIGINT
);
CREATE INDEX waivers_by_environment ON waivers (environment_id, expires_at);

-- Who did what with it: created, approved, revoked, used.
CREATE TABLE waiver_history (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    waiver_id BIGINT NOT NULL REFERENCES waivers (id) ON DELETE CASCADE,
    action    TEXT   NOT NULL,
    who       TEXT,
    detail    TEXT,
    at        BIGINT NOT NULL
);
CREATE INDEX waiver_history_by_waiver ON waiver_history (waiver_id, id);

CREATE TABLE environment_rules (
    environment_id BIGINT  PRIMARY KEY REFERENCES environments (id) ON DELETE CASCADE,
    forbid_ignore  BOOLEAN NOT NULL,
    second_person  BOOLEAN NOT NULL,
    updated_at     BIGINT  NOT NULL
);

-- One deploy at a time and environment. The row stays when the lease ends, so that the fence only grows.
CREATE TABLE leases (
    environment_id BIGINT PRIMARY KEY REFERENCES environments (id) ON DELETE CASCADE,
    uuid           TEXT   NOT NULL UNIQUE,
    fence          BIGINT NOT NULL,
    holder         TEXT   NOT NULL,
    pacticipant    TEXT   NOT NULL,
    version        TEXT   NOT NULL,
    acquired_at    BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL
);

-- The waivers and ignored versions that an answer rests on, as JSON.
ALTER TABLE decisions ADD COLUMN exceptions TEXT;

CREATE INDEX released_versions_current ON released_versions (environment_id, pacticipant_id) WHERE support_ended_at IS NULL;
CREATE INDEX versions_by_age ON versions (pacticipant_id, id);
CREATE INDEX branch_versions_by_age ON branch_versions (branch_id, id);
CREATE INDEX verifications_by_age ON verifications (provider_version_id, id);
CREATE INDEX deployed_versions_of_pacticipant ON deployed_versions (pacticipant_id) WHERE undeployed_at IS NULL;
CREATE INDEX released_versions_of_pacticipant ON released_versions (pacticipant_id) WHERE support_ended_at IS NULL;
CREATE INDEX contents_by_age ON contents (provider_id, created_at);
