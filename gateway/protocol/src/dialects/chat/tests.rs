//! Edges of the dialect.
