-- How a provider accepts proposals: `broker` is the button and the command, `repository` the merge into its main branch.
CREATE TABLE provider_modes (
    provider_id BIGINT NOT NULL PRIMARY KEY REFERENCES pacticipants (id) ON DELETE CASCADE,
    mode        TEXT   NOT NULL CHECK (mode IN ('repository', 'broker')),
    team        TEXT,
    updated_at  BIGINT NOT NULL
);

-- What was said about a proposal.
CREATE TABLE proposal_comments (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    proposal_id BIGINT NOT NULL REFERENCES proposals (id) ON DELETE CASCADE,
    author      TEXT,
    body        TEXT   NOT NULL,
    at          BIGINT NOT NULL
);
CREATE INDEX proposal_comments_by_proposal ON proposal_comments (proposal_id, id);

CREATE INDEX proposals_by_content ON proposals (content_row, id);
