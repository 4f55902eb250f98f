//! Why somebody may do what on a repository: for oneself, and for others to who administers it.

use super::Index;
use super::error::{Noun, Refusal};
use crate::model::explanation::Explanation;
use crate::model::robot::RobotName;
use crate::model::{Account, Role, Subject};
use shared::RepositoryName;

impl Index {
    /// What `of` holds on the repository `name`, and why; without it, what the caller does.
    pub async fn explain(
        &self,
        caller: &Account,
        name: &RepositoryName,
        of: Option<Subject>,
    ) -> Result<(Subject, Explanation), Refusal> {
        let own = caller.subject();
        let subject = of.unwrap_or_else(|| own.clone());
        let needed = if subject.as_str() == own.as_str() { Role::Read } else { Role::Admin };
        self.repository_seen(&own, name, needed).await?;
        // Who may not see a robot is told what is told of one that is not there.
        if let Ok(robot) = subject.as_str().parse::<RobotName>()
            && !self.is_insider(caller, &robot.organisation).await?
        {
            return Ok((subject, Explanation::nothing()));
        }
        let explanation = self.database.explanation(&subject, name).await?;
        Ok((subject, explanation.ok_or_else(|| Refusal::not_found(Noun::Repository, name))?))
    }
}
