//! Search over the repositories that a subject may see.

use super::database::Database;
use super::error::StoreError;
use super::rows::unsigned;
use super::visibility::{beginning_with, containing, folded, with_visible};
use crate::model::{Repository, Subject};

/// What matches the pattern `$3`.
macro_rules! matching {
    () => {
        r" FROM visible_repositories r JOIN namespaces n ON n.id = r.namespace_id
           WHERE r.state = 'ready' AND (lower(r.name) LIKE $3 ESCAPE '\'
               OR n.name LIKE $3 ESCAPE '\' OR lower(r.description) LIKE $3 ESCAPE '\')"
    };
}

const COUNT: &str = with_visible!("SELECT count(*)", matching!());

/// Best first: the very name, then names that begin so, then by stars; names make the order total.
const BEST: &str = with_visible!(
    "SELECT r.*, n.name AS namespace",
    matching!(),
    r" ORDER BY CASE WHEN r.name = $4 THEN 0 WHEN r.name LIKE $5 ESCAPE '\' THEN 1 ELSE 2 END,
          r.star_count DESC, r.name
       LIMIT $6 OFFSET $7"
);

impl Database {
    /// The repositories with content that match `text`: how many there are, and `limit` of them after `offset`.
    pub async fn search(
        &self,
        subject: &Subject,
        text: &str,
        limit: u32,
        offset: u64,
    ) -> Result<(u64, Vec<Repository>), StoreError> {
        let mut transaction = self.read().await?;
        let pattern = containing(text);
        let count = sqlx::query(COUNT).bind(subject.as_str()).bind(subject.origin().as_key()).bind(&pattern);
        let count = count.fetch_one(&mut *transaction).await?;
        let repositories = sqlx::query_as(BEST)
            .bind(subject.as_str())
            .bind(subject.origin().as_key())
            .bind(&pattern)
            .bind(folded(text))
            .bind(beginning_with(text))
            .bind(limit)
            .bind(super::rows::bigint(offset))
            .fetch_all(&mut *transaction)
            .await?;
        Ok((unsigned(&count, 0)?, repositories))
    }
}
