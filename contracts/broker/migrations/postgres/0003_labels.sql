-- Free words on pacticipants.
CREATE TABLE labels (
    pacticipant_id BIGINT NOT NULL REFERENCES pacticipants (id) ON DELETE CASCADE,
    name           TEXT COLLATE "C" NOT NULL,
    created_at     BIGINT NOT NULL,
    PRIMARY KEY (pacticipant_id, name)
);
CREATE INDEX labels_by_name ON labels (name);
