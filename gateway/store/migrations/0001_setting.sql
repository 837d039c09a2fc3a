-- What a gateway decides once and keeps, such as the master key it made at its first start.
CREATE TABLE setting (
    name TEXT PRIMARY KEY NOT NULL,
    value TEXT NOT NULL
);
