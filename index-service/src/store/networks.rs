//! The ranges of addresses from which namespaces may be used.

use super::database::Database;
use super::error::StoreError;
use super::revocations::revoke;
use crate::model::Subject;
use crate::model::origin::bounds;
use shared::networks::NetworkError;
use shared::revocations::Revoked;
use shared::{NamespaceName, Networks, RepositoryName};

/// Whether the namespace `$namespace`, by id, may not be used from the address `$from`, as an `Origin` has it.
macro_rules! is_closed {
    ($namespace:literal, $from:literal) => {
        concat!(
            "(",
            $from,
            " <> '*' AND EXISTS (SELECT 1 FROM namespace_networks w WHERE w.namespace_id = ",
            $namespace,
            ") AND NOT EXISTS (SELECT 1 FROM namespace_networks w WHERE w.namespace_id = ",
            $namespace,
            " AND w.first_address <= ",
            $from,
            " AND w.last_address >= ",
            $from,
            "))"
        )
    };
}

pub(super) use is_closed;

impl Database {
    /// The ranges from which the namespace `name` may be used; none: from everywhere.
    pub async fn namespace_networks(&self, name: &NamespaceName) -> Result<Networks, StoreError> {
        let ranges: Vec<String> = sqlx::query_scalar(
            "SELECT w.network FROM namespace_networks w JOIN namespaces n ON n.id = w.namespace_id
             WHERE n.name = $1 ORDER BY w.network",
        )
        .bind(name.as_str())
        .fetch_all(&mut *self.decider().await?)
        .await?;
        parsed_networks(ranges)
    }

    /// The ranges from which `subject` may use the repository `name`, which may be one to be made: those of its namespace. An
    /// administrator of the instance is nowhere shut out.
    pub async fn repository_networks(&self, subject: &Subject, name: &RepositoryName) -> Result<Networks, StoreError> {
        let ranges: Vec<String> = sqlx::query_scalar(
            "SELECT w.network FROM namespace_networks w
             WHERE w.namespace_id = COALESCE((SELECT r.namespace_id FROM repositories r WHERE r.name = $1),
                                             (SELECT n.id FROM namespaces n WHERE n.name = $2))
                 AND NOT EXISTS (SELECT 1 FROM accounts s WHERE s.name = $3 AND s.is_admin = 1)",
        )
        .bind(name.as_str())
        .bind(name.namespace().as_str())
        .bind(subject.as_str())
        .fetch_all(&mut *self.decider().await?)
        .await?;
        parsed_networks(ranges)
    }

    /// Says from where the namespace of this name and id may be used, in place of what was said before.
    pub async fn put_namespace_networks(
        &self,
        name: &NamespaceName,
        namespace_id: &str,
        networks: &Networks,
    ) -> Result<(), StoreError> {
        let mut transaction = self.write().await?;
        sqlx::query("DELETE FROM namespace_networks WHERE namespace_id = $1")
            .bind(namespace_id)
            .execute(&mut *transaction)
            .await?;
        for range in networks.ranges() {
            let [first, last] = bounds(range);
            sqlx::query(
                "INSERT INTO namespace_networks (namespace_id, network, first_address, last_address)
                 VALUES ($1, $2, $3, $4)",
            )
            .bind(namespace_id)
            .bind(range.to_string())
            .bind(first)
            .bind(last)
            .execute(&mut *transaction)
            .await?;
        }
        revoke(&mut transaction, &Revoked::Namespace(name.to_string())).await?;
        self.commit_revocation(transaction).await
    }
}

fn parsed_networks(ranges: Vec<String>) -> Result<Networks, StoreError> {
    Ok(ranges.try_into().map_err(|error: NetworkError| sqlx::Error::Decode(error.into()))?)
}
