//! Decisions on registry tokens, those that come together in one transaction, and not more of them than is good.

use super::database::Database;
use super::error::StoreError;
use super::rows::{micros, parsed_option, time};
use crate::model::Subject;
use crate::model::decision::Decision;
use jiff::Timestamp;
use sqlx::sqlite::SqliteRow;
use sqlx::{FromRow, Row};
use std::net::IpAddr;

/// So many are left when it is tidied, the latest: whoever asks for what is not theirs must not fill the disk.
const MOST: u32 = 10_000;

/// Of these from anonymous clients: a crowd of addresses pushes out nobody who signed in.
const MOST_ANONYMOUS: u32 = 5_000;

/// And for one asker: nobody pushes out others by asking often.
const MOST_OF_ONE: u32 = 100;

impl FromRow<'_, SqliteRow> for Decision {
    fn from_row(row: &SqliteRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            subject: Subject::named(row.try_get::<String, _>("subject")?),
            address: parsed_option(row, "address")?,
            asked: row.try_get("asked")?,
            granted: row.try_get("granted")?,
            decided_at: time(row, "decided_at")?,
        })
    }
}

impl Database {
    /// Keeps `decisions`, those that are kept already too.
    pub async fn keep_decisions(&self, decisions: &[Decision]) -> Result<(), StoreError> {
        let (_, mut transaction) = self.unnumbered().await?;
        for decision in decisions {
            sqlx::query(
                "INSERT INTO decisions (id, subject, address, asked, granted, decided_at, asker)
                 VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO NOTHING",
            )
            .bind(&decision.id)
            .bind(decision.subject.as_str())
            .bind(decision.address.as_ref().map(IpAddr::to_string))
            .bind(&decision.asked)
            .bind(&decision.granted)
            .bind(micros(decision.decided_at))
            .bind(decision.asker())
            .execute(&mut *transaction)
            .await?;
        }
        transaction.commit().await
    }

    /// Forgets what was decided before `before`, and what is too many.
    pub async fn forget_decisions(&self, before: Timestamp) -> Result<(), StoreError> {
        let (_, mut transaction) = self.unnumbered().await?;
        let old = sqlx::query("DELETE FROM decisions WHERE decided_at < $1");
        old.bind(micros(before)).execute(&mut *transaction).await?;
        let askers = sqlx::query_scalar("SELECT asker FROM decisions GROUP BY asker HAVING count(*) > $1");
        let askers: Vec<String> = askers.bind(MOST_OF_ONE).fetch_all(&mut *transaction).await?;
        for asker in askers {
            let too_many = sqlx::query(
                "DELETE FROM decisions WHERE asker = $1 AND id NOT IN (
                    SELECT id FROM decisions WHERE asker = $1 ORDER BY decided_at DESC, id DESC LIMIT $2)",
            );
            too_many.bind(asker).bind(MOST_OF_ONE).execute(&mut *transaction).await?;
        }
        let too_many_anonymous = sqlx::query(
            "DELETE FROM decisions WHERE subject = '' AND decided_at <= (
                SELECT decided_at FROM decisions WHERE subject = '' ORDER BY decided_at DESC LIMIT 1 OFFSET $1)",
        );
        too_many_anonymous.bind(MOST_ANONYMOUS).execute(&mut *transaction).await?;
        let too_many = sqlx::query(
            "DELETE FROM decisions
             WHERE decided_at <= (SELECT decided_at FROM decisions ORDER BY decided_at DESC LIMIT 1 OFFSET $1)",
        );
        too_many.bind(MOST).execute(&mut *transaction).await?;
        transaction.commit().await
    }

    /// The decision `id`.
    pub async fn decision(&self, id: &str) -> Result<Option<Decision>, StoreError> {
        let decision = sqlx::query_as("SELECT * FROM decisions WHERE id = $1").bind(id);
        Ok(decision.fetch_optional(&mut *self.reader().await?).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    fn decision(subject: &str, host: u32, number: u32) -> Decision {
        Decision {
            id: format!("{subject}-{host}-{number}"),
            subject: Subject::named(subject),
            address: Some(IpAddr::V4(Ipv4Addr::from_bits(host))),
            asked: "repository:acme/app:pull".to_owned(),
            granted: String::new(),
            decided_at: Timestamp::from_second(1_800_000_000 + i64::from(number)).unwrap(),
        }
    }

    #[tokio::test]
    async fn neither_a_crowd_nor_one_who_asks_without_end_pushes_out_others() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("index.sqlite").display());
        let database = Database::open(&url).await.unwrap();
        let keep = async |decisions: &[Decision]| {
            database.keep_decisions(decisions).await.unwrap();
            database.forget_decisions(Timestamp::UNIX_EPOCH).await.unwrap();
        };
        let is_kept = async |decision: &Decision| database.decision(&decision.id).await.unwrap().is_some();
        let bobs = decision("bob", 1, 0);
        keep(std::slice::from_ref(&bobs)).await;
        // What is not known to be written is written again.
        keep(std::slice::from_ref(&bobs)).await;
        let crowd: Vec<_> = (0..11_000).map(|number| decision("", number, number)).collect();
        for some in crowd.chunks(1000) {
            keep(some).await;
        }
        assert_eq!((is_kept(&crowd[5_999]).await, is_kept(&crowd[6_000]).await), (false, true));
        let carols: Vec<_> = (0..300).map(|number| decision("carol", number, number)).collect();
        let strangers: Vec<_> = (20_000..20_300).map(|number| decision("", 7, number)).collect();
        for of_one in [carols, strangers] {
            keep(&of_one).await;
            assert_eq!((is_kept(&of_one[199]).await, is_kept(&of_one[200]).await), (false, true));
        }
        assert!(is_kept(&bobs).await);
    }
}
