-- The newest result and the newest publication of a content are one step of an index, however many there are.

CREATE INDEX verifications_of_content_by_age ON verifications (content_row, id);
-- (provider_version_id, id) serves what this one did.
DROP INDEX verifications_by_version;

CREATE INDEX pacts_of_content_by_version ON pacts (content_row, version_id);
DROP INDEX pacts_by_content;
