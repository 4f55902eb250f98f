//! An index whose questions and answers can be lost or late: what a registry meets when the network or the index fails.

use async_trait::async_trait;
use berth::InProcessIndex;
use registry_service::store::index::{Answer, Index, IndexUnavailable};
use shared::internal::{
    AllocateAnswer, AllocateRequest, CatalogAnswer, CatalogRequest, CommitAnswer, CommitRequest, IntrospectAnswer,
    JudgeRequest, TurnAnswer, Verdict,
};
use shared::revocations::{FeedAnswer, Position};
use std::sync::Mutex;
use tokio::sync::watch;

/// A call that can be disturbed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    Keys,
    Introspect,
    Revocations,
    Allocate,
    Judge,
    Commit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// No question arrives.
    Gone,
    /// The question does not arrive.
    Lost(Call),
    /// The answer takes until something else is said.
    Held(Call),
    /// The question arrives when nobody waits for its answer any more.
    Late(Call),
    /// The answer to every judging is no.
    Refused,
}

/// The real index, as long as it is reached.
pub struct UnsteadyIndex {
    real: InProcessIndex,
    trouble: watch::Sender<Option<Trouble>>,
    asked: Mutex<Vec<Call>>,
    late: Mutex<Vec<CommitRequest>>,
    committed: Mutex<Vec<CommitRequest>>,
}

impl UnsteadyIndex {
    pub fn new(real: InProcessIndex) -> Self {
        Self {
            real,
            trouble: watch::Sender::new(None),
            asked: Mutex::default(),
            late: Mutex::default(),
            committed: Mutex::default(),
        }
    }

    /// From now on this call fails, and only this one.
    pub fn fail(&self, call: Option<Call>) {
        self.trouble.send_replace(call.map(Trouble::Lost));
    }

    /// From now on every call fails.
    pub fn vanish(&self) {
        self.trouble.send_replace(Some(Trouble::Gone));
    }

    /// From now on this call is not answered, until something else is said.
    pub fn hold(&self, call: Call) {
        self.trouble.send_replace(Some(Trouble::Held(call)));
    }

    /// From now on commits fail, and arrive only with [`UnsteadyIndex::deliver`].
    pub fn delay_commits(&self) {
        self.trouble.send_replace(Some(Trouble::Late(Call::Commit)));
    }

    /// The commits that were delayed arrive now.
    pub async fn deliver(&self) {
        let late = std::mem::take(&mut *self.late.lock().unwrap());
        assert!(!late.is_empty(), "nothing is on its way");
        for commit in late {
            self.real.commit(&commit).await.unwrap();
        }
    }

    /// From now on no manifest is judged to be good.
    pub fn refuse(&self) {
        self.trouble.send_replace(Some(Trouble::Refused));
    }

    /// What was committed through this one.
    pub fn committed(&self) -> Vec<CommitRequest> {
        self.committed.lock().unwrap().clone()
    }

    /// How often it was asked.
    pub fn count(&self, call: Call) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| **asked == call).count()
    }

    async fn reach(&self, call: Call) -> Answer<()> {
        self.asked.lock().unwrap().push(call);
        let mut trouble = self.trouble.subscribe();
        let passing = trouble.wait_for(|trouble| *trouble != Some(Trouble::Held(call))).await;
        if [Some(Trouble::Gone), Some(Trouble::Lost(call)), Some(Trouble::Late(call))].contains(&*passing.unwrap()) {
            return Err(IndexUnavailable(format!("{call:?} is lost")));
        }
        Ok(())
    }
}

#[async_trait]
impl Index for UnsteadyIndex {
    async fn keys(&self) -> Answer<String> {
        self.reach(Call::Keys).await?;
        self.real.keys().await
    }

    async fn introspect(&self, token: &str) -> Answer<IntrospectAnswer> {
        self.reach(Call::Introspect).await?;
        self.real.introspect(token).await
    }

    async fn revocations(&self, after: &Position) -> Answer<FeedAnswer> {
        self.reach(Call::Revocations).await?;
        self.real.revocations(after).await
    }

    async fn allocate(&self, request: &AllocateRequest) -> Answer<AllocateAnswer> {
        self.reach(Call::Allocate).await?;
        self.real.allocate(request).await
    }

    async fn judge(&self, request: &JudgeRequest) -> Answer<Verdict> {
        self.reach(Call::Judge).await?;
        if *self.trouble.borrow() == Some(Trouble::Refused) {
            return Ok(Verdict::Refused { reason: "not today".to_owned() });
        }
        self.real.judge(request).await
    }

    async fn turn(&self) -> Answer<TurnAnswer> {
        self.real.turn().await
    }

    async fn commit(&self, request: &CommitRequest) -> Answer<CommitAnswer> {
        if *self.trouble.borrow() == Some(Trouble::Late(Call::Commit)) {
            self.late.lock().unwrap().push(request.clone());
        }
        self.reach(Call::Commit).await?;
        let answer = self.real.commit(request).await?;
        self.committed.lock().unwrap().push(request.clone());
        Ok(answer)
    }

    async fn catalog(&self, request: &CatalogRequest) -> Answer<CatalogAnswer> {
        self.real.catalog(request).await
    }
}
