-- Webhooks, and the durable queue of their deliveries.

CREATE TABLE webhooks (
    id             INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid           TEXT    NOT NULL UNIQUE,
    description    TEXT,
    enabled        BOOLEAN NOT NULL,
    -- A side without id and label is every pacticipant.
    consumer_id    BIGINT  REFERENCES pacticipants (id) ON DELETE CASCADE,
    consumer_label TEXT,
    provider_id    BIGINT  REFERENCES pacticipants (id) ON DELETE CASCADE,
    provider_label TEXT,
    -- Names with a space before, between and after.
    events         TEXT    NOT NULL,
    -- JSON; holds secrets.
    target         TEXT    NOT NULL,
    created_at     BIGINT  NOT NULL,
    updated_at     BIGINT  NOT NULL
);

-- One row for each time a webhook was triggered, written in the transaction of what triggered it.
CREATE TABLE triggered_webhooks (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    uuid                TEXT    NOT NULL UNIQUE,
    webhook_id          BIGINT  REFERENCES webhooks (id) ON DELETE SET NULL,
    webhook_uuid        TEXT    NOT NULL,
    event               TEXT    NOT NULL,
    consumer_id         BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    provider_id         BIGINT  NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    consumer_version    TEXT,
    verification_id     BIGINT,
    -- JSON: what each variable stood for at that time.
    variables           TEXT    NOT NULL,
    status              TEXT    NOT NULL CHECK (status IN ('not_run', 'retrying', 'success', 'failure')),
    attempts            BIGINT  NOT NULL,
    -- Attempts since it was fired, and how often it was fired again.
    attempts_of_round   BIGINT  NOT NULL,
    rounds              BIGINT  NOT NULL,
    -- The verification that is wanted, if any: it is fired again until that exists.
    wanted_content      BIGINT  REFERENCES contents (id) ON DELETE CASCADE,
    wanted_version      BIGINT  REFERENCES versions (id) ON DELETE CASCADE,
    -- When it is next looked at; nothing is left to do without.
    next_at             BIGINT,
    -- Whoever took it has until then; after that it is anybody's.
    leased_until        BIGINT,
    created_at          BIGINT  NOT NULL,
    updated_at          BIGINT  NOT NULL
);
CREATE INDEX triggered_webhooks_due ON triggered_webhooks (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX triggered_webhooks_by_pair ON triggered_webhooks (consumer_id, provider_id, id);
CREATE INDEX triggered_webhooks_by_verification ON triggered_webhooks (verification_id);

CREATE TABLE webhook_executions (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    triggered_id BIGINT  NOT NULL REFERENCES triggered_webhooks (id) ON DELETE CASCADE,
    success      BOOLEAN NOT NULL,
    log          TEXT    NOT NULL,
    at           BIGINT  NOT NULL
);
CREATE INDEX webhook_executions_by_triggered ON webhook_executions (triggered_id, id);
