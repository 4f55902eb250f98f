//! Search, as `docker search` asks for it.

use super::Index;
use super::error::Refusal;
use crate::model::{Fault, Origin, Repository, Subject};
use jiff::Timestamp;
use shared::Action;
use std::net::IpAddr;

/// Longest text to search for: no name is longer.
const MAX_TEXT: usize = 255;

/// Which results are wanted.
#[derive(Debug, Clone, Copy)]
pub struct SearchPage {
    /// From 1 on.
    pub number: u32,
    /// Results on a page, 1 to 100.
    pub size: u32,
}

/// One page of results.
#[derive(Debug)]
pub struct SearchResults {
    /// How many match in all.
    pub total: u64,
    /// Those of the page, best first.
    pub repositories: Vec<Repository>,
}

impl Index {
    /// The repositories with `text` in name, namespace or description that `subject` may see.
    pub async fn search(&self, subject: &Subject, text: &str, page: SearchPage) -> Result<SearchResults, Refusal> {
        let text = text.trim();
        check_text(text)?;
        let offset = u64::from(page.number.saturating_sub(1)) * u64::from(page.size);
        let (total, repositories) = self.database.search(subject, text, page.size, offset).await?;
        Ok(SearchResults { total, repositories })
    }

    /// The subject of a registry token that allows to search, shown from the address `from`.
    pub async fn searcher(&self, token: &str, from: Option<IpAddr>, now: Timestamp) -> Result<Subject, Refusal> {
        let claims = self.signer.verify(token, &self.identity, now).ok_or(Refusal::BadToken)?;
        if !claims.catalog(Action::Search) {
            return Err(Refusal::BadToken);
        }
        let bearer = self.bearer(&claims, now).await?.filter(|bearer| bearer.networks.admit(from));
        bearer.map(|bearer| bearer.subject.at(Origin::Client(from))).ok_or(Refusal::BadToken)
    }
}

/// Refuses what is longer than anything it could be found in, before the database has to.
pub(super) fn check_text(text: &str) -> Result<(), Refusal> {
    if text.len() > MAX_TEXT {
        return Err(Fault::of_parameter("q", "too_long", "a search has at most 255 bytes").into());
    }
    Ok(())
}
