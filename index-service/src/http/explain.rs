//! `/api/v1/repositories/{name}/-/explain`: who may do what there, and why.

use super::auth::Caller;
use super::error::Failure;
use super::query::Asked;
use crate::domain::Index;
use crate::model::explanation::{Explanation, Reason, Source};
use crate::model::{Fault, GrantSubject, Role, Subject};
use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::{Deserialize, Serialize};
use shared::{Action, NamespaceName, RepositoryName};
use std::collections::BTreeSet;
use utoipa::ToSchema;

/// About whom.
#[derive(Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ExplainQuery {
    /// `user:bob`, `robot:acme+ci` or `anonymous`; whoever asks, if it is not said.
    subject: Option<String>,
}

/// An explanation as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Explanation)]
pub struct ExplanationBody {
    repository: RepositoryName,
    subject: String,
    role: Option<Role>,
    actions: BTreeSet<Action>,
    reasons: Vec<ReasonBody>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    is_auditor: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    missing: Option<&'static str>,
}

impl ExplanationBody {
    /// What `explanation` says about `subject` on `repository`.
    pub fn new(repository: RepositoryName, subject: &Subject, explanation: Explanation) -> Self {
        let Explanation { role, reasons, is_auditor } = explanation;
        let missing = match role {
            Some(_) => None,
            None if is_auditor => {
                Some("an auditor of the instance: sees what is said about everything, and holds no role")
            }
            // One sentence: who may not see a robot learns nothing of it.
            None => {
                Some("no grant, no membership, and the repository is private; or no such account, or it is disabled")
            }
        };
        Self {
            repository,
            subject: shown(subject),
            role,
            actions: role.map(Role::actions).unwrap_or_default(),
            reasons: reasons.into_iter().map(Into::into).collect(),
            is_auditor,
            missing,
        }
    }
}

/// One source of a role as it is shown.
#[derive(Serialize, ToSchema)]
#[schema(as = Reason)]
pub struct ReasonBody {
    role: Role,
    because: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    granted_to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<NamespaceName>,
    #[serde(skip_serializing_if = "Option::is_none")]
    repository: Option<RepositoryName>,
}

impl From<Reason> for ReasonBody {
    fn from(Reason { source, role }: Reason) -> Self {
        let plain = |because| Self { role, because, granted_to: None, namespace: None, repository: None };
        match source {
            Source::InstanceAdmin => plain("instance_admin"),
            Source::OwnNamespace => plain("own_namespace"),
            Source::OrganisationOwner => plain("organisation_owner"),
            Source::OrganisationMember => plain("organisation_member"),
            Source::Public => plain("public"),
            Source::Grant { holder, on } => {
                let (namespace, repository) = on.parts();
                Self { granted_to: Some(holder.to_string()), namespace, repository, ..plain("grant") }
            }
        }
    }
}

/// What somebody may do in a repository, and why.
#[utoipa::path(
    get, path = "/repositories/{name}/-/explain", params(ExplainQuery),
    responses((status = 200, body = ExplanationBody))
)]
pub async fn show(
    caller: Caller,
    index: Data<Index>,
    name: Path<RepositoryName>,
    query: Asked<ExplainQuery>,
) -> Result<HttpResponse, Failure> {
    let of = query.0.subject.as_deref().map(subject).transpose()?;
    let (subject, explanation) = index.explain(&caller.0, &name, of).await?;
    Ok(HttpResponse::Ok().json(ExplanationBody::new(name.into_inner(), &subject, explanation)))
}

/// A team holds what its members hold: one asks about those.
fn subject(text: &str) -> Result<Subject, Failure> {
    if text == "anonymous" {
        return Ok(Subject::anonymous());
    }
    // A plus sign is a blank where forms are read, and no name has a blank.
    match text.replace(' ', "+").parse() {
        Ok(GrantSubject::User(name)) => Ok(Subject::named(name.as_str())),
        Ok(GrantSubject::Robot(name)) => Ok(Subject::named(name.to_string())),
        _ => {
            let rule = "subject is user:<name>, robot:<organisation>+<name> or anonymous";
            Err(Fault::of_parameter("subject", "wrong_form", rule).into())
        }
    }
}

/// A subject as it is written.
pub fn shown(subject: &Subject) -> String {
    match subject.as_str() {
        "" => "anonymous".to_owned(),
        robot if robot.contains('+') => format!("robot:{robot}"),
        person => format!("user:{person}"),
    }
}
