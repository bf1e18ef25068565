-- The broker's tables. Instants are nanoseconds since 1970; booleans are BOOLEAN; ids only ever grow, so the order of
-- ids is the order of creation, which is what "latest" means everywhere.

CREATE TABLE pacticipants (
    id                   INTEGER PRIMARY KEY AUTOINCREMENT,
    name                 TEXT    NOT NULL UNIQUE,
    display_name         TEXT,
    main_branch          TEXT,
    repository_url       TEXT,
    repository_name      TEXT,
    repository_namespace TEXT,
    created_at           BIGINT  NOT NULL,
    updated_at           BIGINT  NOT NULL
);

CREATE TABLE versions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    pacticipant_id BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    number         TEXT    NOT NULL,
    build_url      TEXT,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL,
    UNIQUE (pacticipant_id, number)
);

CREATE TABLE branches (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    pacticipant_id BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    name           TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    UNIQUE (pacticipant_id, name)
);

-- The head of a branch is the version added last.
CREATE TABLE branch_versions (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    branch_id  BIGINT  NOT NULL REFERENCES branches (id) ON DELETE CASCADE,
    version_id BIGINT  NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    created_at BIGINT  NOT NULL,
    UNIQUE (branch_id, version_id)
);
CREATE INDEX branch_versions_by_version ON branch_versions (version_id);

CREATE TABLE tags (
    version_id BIGINT NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    name       TEXT   NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (version_id, name)
);
CREATE INDEX tags_by_name ON tags (name, version_id);

-- One row for each distinct content of a pair; results and acceptances belong to it.
CREATE TABLE contents (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    consumer_id   BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    provider_id   BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    content_id    TEXT    NOT NULL,
    specification TEXT,
    body          TEXT    NOT NULL,
    created_at    BIGINT  NOT NULL,
    UNIQUE (consumer_id, provider_id, content_id)
);
CREATE INDEX contents_by_provider ON contents (provider_id, content_id);

-- A consumer's version has a content with a provider.
CREATE TABLE pacts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    version_id  BIGINT  NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    consumer_id BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    provider_id BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    content_row BIGINT  NOT NULL REFERENCES contents (id),
    created_at  BIGINT  NOT NULL,
    updated_at  BIGINT  NOT NULL,
    UNIQUE (version_id, provider_id)
);
CREATE INDEX pacts_by_provider ON pacts (provider_id, consumer_id, version_id);
CREATE INDEX pacts_by_content ON pacts (content_row);

-- The id is the result's number; of one (content, provider version) the highest counts.
CREATE TABLE verifications (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    content_row         BIGINT  NOT NULL REFERENCES contents (id) ON DELETE CASCADE,
    provider_version_id BIGINT  NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    success             BOOLEAN NOT NULL,
    pending             BOOLEAN NOT NULL,
    wip                 BOOLEAN NOT NULL,
    build_url           TEXT,
    test_results        TEXT,
    verified_by         TEXT,
    created_at          BIGINT  NOT NULL
);
CREATE INDEX verifications_by_content ON verifications (content_row, provider_version_id, id);
CREATE INDEX verifications_by_version ON verifications (provider_version_id);

CREATE TABLE environments (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid         TEXT    NOT NULL UNIQUE,
    name         TEXT    NOT NULL UNIQUE,
    display_name TEXT,
    production   BOOLEAN NOT NULL,
    contacts     TEXT,
    created_at   BIGINT  NOT NULL,
    updated_at   BIGINT  NOT NULL
);

-- instance '' is the unnamed one, so that it is unique like the others.
CREATE TABLE deployed_versions (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid           TEXT    NOT NULL UNIQUE,
    version_id     BIGINT  NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    pacticipant_id BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    environment_id BIGINT  NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    instance       TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    undeployed_at  BIGINT
);
CREATE UNIQUE INDEX deployed_versions_current ON deployed_versions (environment_id, pacticipant_id, instance)
    WHERE undeployed_at IS NULL;
CREATE INDEX deployed_versions_by_version ON deployed_versions (version_id);

CREATE TABLE released_versions (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             TEXT    NOT NULL UNIQUE,
    version_id       BIGINT  NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
    pacticipant_id   BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    environment_id   BIGINT  NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
    created_at       BIGINT  NOT NULL,
    support_ended_at BIGINT,
    UNIQUE (version_id, environment_id)
);

-- A line of proposals is (consumer, provider, consumer branch); one entry for each content that was proposed on it.
CREATE TABLE proposals (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid             TEXT    NOT NULL UNIQUE,
    consumer_id      BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    provider_id      BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    consumer_branch  TEXT    NOT NULL,
    content_row      BIGINT  NOT NULL REFERENCES contents (id),
    state            TEXT    NOT NULL CHECK (state IN
        ('draft', 'proposed', 'accepted', 'enforced', 'rejected', 'withdrawn', 'superseded', 'retired')),
    title            TEXT    NOT NULL,
    pull_request_url TEXT,
    team             TEXT,
    author           TEXT,
    created_at       BIGINT  NOT NULL,
    updated_at       BIGINT  NOT NULL
);
CREATE INDEX proposals_by_provider ON proposals (provider_id, state);
CREATE INDEX proposals_by_line ON proposals (consumer_id, provider_id, consumer_branch);

CREATE TABLE proposal_history (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal_id BIGINT NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
    state       TEXT   NOT NULL,
    who         TEXT,
    reason      TEXT,
    at          BIGINT NOT NULL
);
CREATE INDEX proposal_history_by_proposal ON proposal_history (proposal_id, id);

-- Answers of the gate. The same answer given again right after is counted, not repeated.
CREATE TABLE decisions (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    pacticipant TEXT   NOT NULL,
    version     TEXT   NOT NULL,
    environment TEXT   NOT NULL,
    deployable  BOOLEAN,
    reason      TEXT   NOT NULL,
    trace       TEXT,
    times       BIGINT NOT NULL,
    at          BIGINT NOT NULL,
    last_at     BIGINT NOT NULL
);
CREATE INDEX decisions_by_question ON decisions (pacticipant, version, environment, id);

-- Events not yet delivered, written in the transaction of what they tell.
CREATE TABLE outbox (
    id   INTEGER PRIMARY KEY AUTOINCREMENT,
    body TEXT NOT NULL
);
