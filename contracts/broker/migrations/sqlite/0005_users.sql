-- Users of the broker, their rights and tokens, who changed what, and who posted a result.

CREATE TABLE users (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT    NOT NULL UNIQUE,
    -- argon2id; nobody can log in with a password without.
    password_hash TEXT,
    created_at    BIGINT  NOT NULL,
    updated_at    BIGINT  NOT NULL
);

CREATE TABLE user_grants (
    user_id BIGINT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    role    TEXT   NOT NULL,
    object  TEXT   NOT NULL,
    PRIMARY KEY (user_id, role, object)
);

CREATE TABLE user_tokens (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid       TEXT    NOT NULL UNIQUE,
    user_id    BIGINT  NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name       TEXT    NOT NULL,
    -- The part of the token by which this row is found.
    lookup     TEXT    NOT NULL UNIQUE,
    hash       TEXT    NOT NULL,
    expires_at BIGINT,
    created_at BIGINT  NOT NULL
);
CREATE INDEX user_tokens_by_user ON user_tokens (user_id);

CREATE TABLE audit (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    at   BIGINT  NOT NULL,
    who  TEXT    NOT NULL,
    what TEXT    NOT NULL
);

ALTER TABLE verifications ADD COLUMN posted_by TEXT;
ALTER TABLE proposals ADD COLUMN proposed_by TEXT;
