//! Opening: what is private, what is refused, and which release may use what.

use store::{Store, StoreError};

use crate::both;
use crate::place::Place;

both!(a_newer_release_may_have_been_here);

/// Pods of two releases run side by side while one replaces the other.
async fn a_newer_release_may_have_been_here(place: &Place) {
    place.open().await.close().await;
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time) \
                 VALUES (9999, 'from the future', TRUE, '', 0)";
    place.execute(newer).await;
    let store = place.open().await;
    assert_eq!(store.setting_get_or_insert("key", || "one".into()).await.unwrap(), "one");
}

#[tokio::test]
async fn only_the_owner_can_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    Store::open(folder.path()).await.unwrap().close().await;
    let mode = std::fs::metadata(folder.path().join("fairlead.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = "not a database, but long enough to be one".repeat(50);
    std::fs::write(folder.path().join("fairlead.db"), text).unwrap();
    let error = Store::open(folder.path()).await.unwrap_err();
    assert!(error.to_string().contains("database"), "{error}");
}

#[tokio::test]
async fn what_is_no_url_is_refused_and_not_shown() {
    for url in ["", "mysql://u:s3cret@h/d", "s3cret", "postgres://u:s3cret@h:port/d"] {
        let error = Store::connect(url).unwrap_err();
        assert!(
            matches!(error, StoreError::Url) && !format!("{error} {error:?}").contains("s3cret"),
            "{url}"
        );
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_an_error_and_no_hang() {
    // Nobody listens on port 1.
    let store = Store::connect("postgres://u:s3cret@127.0.0.1:1/d").unwrap();
    assert_eq!((store.name(), store.is_shared()), ("127.0.0.1:1/d", true));
    let migrated = tokio::time::timeout(std::time::Duration::from_secs(20), store.migrate()).await.unwrap();
    let error = migrated.unwrap_err().to_string();
    assert!(error.contains("127.0.0.1:1/d") && !error.contains("s3cret"), "{error}");
}
