//! `berth reindex`: makes the index fit what storage holds, beside a server or without one.

mod put_away;

use crate::instance::{Instance, registry_settings};
use anyhow::Context;
use index_service::{Account, Adoption, Found, Settings as IndexSettings};
use jiff::Timestamp;
use registry_service::domain::Repository;
use registry_service::domain::reindex::{Drift, Told};
use serde::Serialize;
use server::{Environment, logging};
use shared::{NamespaceName, RepositoryName};
use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;

/// Where everything is, and to whom what is found goes.
#[derive(clap::Args)]
pub struct Arguments {
    /// The folder with everything.
    #[arg(long, env = "BERTH_DATA", default_value = "./berth-data")]
    data: PathBuf,
    #[command(flatten)]
    how: How,
}

/// How to reindex.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct How {
    /// Change nothing, and say what differs.
    #[arg(long)]
    pub dry_run: bool,
    /// The administrator who gets what is found. Default: the one of the first start.
    #[arg(long, value_name = "ACCOUNT")]
    pub owner: Option<String>,
    /// Put what is found under this namespace into it, although it is somebody else's. May be repeated.
    #[arg(long, value_name = "NAMESPACE", value_parser = NamespaceName::parse)]
    pub give: Vec<NamespaceName>,
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Whose: its name, or its id where no name is known.
    pub repository: String,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "found", rename_all = "snake_case")]
pub enum What {
    /// The index did not know the repository.
    Adopted,
    /// The index did not know the deleted repository, which can be restored from now on until it is purged.
    Deleted,
    /// It is not known to the index, and stays so.
    Left {
        /// Why.
        reason: String,
    },
    /// The index was told otherwise of a manifest.
    Manifest {
        /// Which.
        digest: String,
        /// Whether storage has it.
        in_storage: bool,
    },
    /// The index was told otherwise of a tag.
    Tag {
        /// Which.
        tag: String,
        /// Where it points in storage.
        digest: Option<String>,
    },
    /// The index knows the repository with content, and storage has nothing of it. Nothing was changed.
    Lost,
    /// A difference could not be repaired.
    Failed {
        /// Why.
        reason: String,
    },
}

/// What a reindex came to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Repositories that lie in storage.
    pub repositories: u64,
    /// Of them taken into the index.
    pub adopted: u64,
    /// Deleted repositories taken into the index, as deleted at this moment.
    pub deleted: u64,
    /// Repositories of either sort left as they are.
    pub left: u64,
    /// Differences in manifests and tags.
    pub differences: u64,
    /// Repositories of the index that storage has nothing of.
    pub lost: u64,
    /// What could not be repaired.
    pub failed: u64,
}

impl Summary {
    fn take(&mut self, what: &What) {
        match what {
            What::Adopted => self.adopted += 1,
            What::Deleted => self.deleted += 1,
            What::Left { .. } => self.left += 1,
            What::Manifest { .. } | What::Tag { .. } => self.differences += 1,
            What::Lost => self.lost += 1,
            What::Failed { .. } => self.failed += 1,
        }
    }
}

/// Reindexes, and says what was found on standard output. An error if something is left to be done by a person.
pub async fn reindex(arguments: &Arguments, mut environment: Environment) -> anyhow::Result<()> {
    environment.or_set("INDEX_DATA", arguments.data.to_string_lossy());
    let index_settings = IndexSettings::read(&environment)?;
    logging::start(environment.get("INDEX_LOG_LEVEL").unwrap_or("warn"))?;
    let registry_settings = registry_settings(&mut environment, &index_settings, &arguments.data)?;
    let (instance, first_admin) = Instance::open(&index_settings, &registry_settings).await?;
    let mut how = arguments.how.clone();
    how.owner.get_or_insert(index_settings.admin_user);
    let mut out = io::stdout();
    if let Some(file) = first_admin.and_then(|admin| admin.password_file) {
        writeln!(io::stderr(), "made the first administrator; the password is in {}", file.display())?;
    }
    let is_person = out.is_terminal();
    let mut say = |line: &Line| writeln!(out, "{}", if is_person { describe(line) } else { json(line) });
    let summary = instance.reindex(&how, &mut say).await?;
    let mut out = io::stdout();
    writeln!(out, "{}", json(&summary))?;
    instance.index.close().await;
    let rest = summary.left + summary.lost + summary.failed;
    anyhow::ensure!(rest == 0, "{rest} of what is named above needs a person");
    Ok(())
}

impl Instance {
    /// Compares index and storage, tells `say` of each difference, and repairs it unless only asked to look.
    pub async fn reindex(&self, how: &How, say: Say<'_>) -> anyhow::Result<Summary> {
        let owner = how.owner.as_deref().unwrap_or("admin");
        let admin = self.index.instance_admin(owner).await.with_context(|| format!("--owner {owner}"))?;
        let give: BTreeSet<_> = how.give.iter().collect();
        let mut telling = Telling { say, summary: Summary::default(), taken: BTreeSet::new() };
        let mut found = self.registry.repositories_found();
        while let Some(next) = found.recv().await {
            let (name, id) = next?;
            telling.summary.repositories += 1;
            let give = give.contains(&name.namespace());
            let found = Found { name: &name, id: id.as_deref(), give, is_deleted: false };
            let (id, is_new) = match self.adopt(how, &found, &admin).await? {
                Adoption::Known(id) => (id, false),
                Adoption::Adopted(id) => (id, true),
                Adoption::Left(why) => {
                    telling.tell(&name, What::Left { reason: why.to_string() })?;
                    continue;
                }
            };
            if is_new {
                telling.tell(&name, What::Adopted)?;
                telling.taken.insert(name.clone());
            }
            self.compare(how, &name, id, &mut telling).await?;
        }
        self.look_for_put_away(how, &admin, &mut telling).await?;
        self.look_for_lost(&mut telling).await?;
        Ok(telling.summary)
    }

    async fn adopt(&self, how: &How, found: &Found<'_>, admin: &Account) -> anyhow::Result<Adoption> {
        Ok(if how.dry_run {
            self.index.would_adopt(found, admin, Timestamp::now()).await?
        } else {
            self.index.adopt(found, admin, Timestamp::now()).await?
        })
    }

    async fn compare(
        &self,
        how: &How,
        name: &RepositoryName,
        id: String,
        telling: &mut Telling<'_>,
    ) -> anyhow::Result<()> {
        if !how.dry_run && self.registry.identify(name, &id).await?.as_ref() != Some(&id) {
            return telling.tell(name, What::Failed { reason: "another id was written meanwhile".to_owned() });
        }
        let holdings = self.index.holdings(&id).await?;
        let told = Told { manifests: holdings.manifests, tags: holdings.tags };
        let repository = Repository { name: name.clone(), id: Some(id) };
        for drift in self.registry.drift(&repository, told).await? {
            telling.tell(name, what(&drift))?;
            if how.dry_run {
                continue;
            }
            if let Err(refusal) = self.registry.repair(&repository, drift).await {
                telling.tell(name, What::Failed { reason: refusal.to_string() })?;
            }
        }
        Ok(())
    }

    /// What the index believes to be there and is not is only named: the folder may be the wrong one.
    async fn look_for_lost(&self, telling: &mut Telling<'_>) -> anyhow::Result<()> {
        let mut after = String::new();
        loop {
            let page = self.index.repositories_after(&after).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            last.as_str().clone_into(&mut after);
            for (name, id) in page {
                if self.registry.storage().repository_id(&name).await? != Some(id) {
                    telling.tell(&name, What::Lost)?;
                }
            }
        }
    }
}

/// Writes a line for whoever asked.
pub type Say<'a> = &'a mut (dyn FnMut(&Line) -> io::Result<()> + Send);

struct Telling<'a> {
    say: Say<'a>,
    summary: Summary,
    /// Names that are taken into the index by now: a dry run changes nothing there, and goes on as if it had.
    taken: BTreeSet<RepositoryName>,
}

impl Telling<'_> {
    fn tell(&mut self, whose: &impl fmt::Display, what: What) -> anyhow::Result<()> {
        self.summary.take(&what);
        Ok((self.say)(&Line { repository: whose.to_string(), what })?)
    }
}

fn what(drift: &Drift) -> What {
    match drift {
        Drift::Manifest(digest, in_storage) => What::Manifest { digest: digest.to_string(), in_storage: *in_storage },
        Drift::Tag(tag, digest) => What::Tag { tag: tag.to_string(), digest: digest.as_ref().map(ToString::to_string) },
    }
}

fn describe(line: &Line) -> String {
    let name = &line.repository;
    match &line.what {
        What::Adopted => format!("adopted   {name}"),
        What::Deleted => format!("deleted   {name}  it can be restored for seven days, and is purged then"),
        What::Left { reason } => format!("left      {name}  {reason}"),
        What::Manifest { digest, in_storage: true } => format!("unknown   {name}@{digest}"),
        What::Manifest { digest, in_storage: false } => format!("gone      {name}@{digest}"),
        What::Tag { tag, digest: Some(digest) } => format!("tag       {name}:{tag}  {digest}"),
        What::Tag { tag, digest: None } => format!("tag gone  {name}:{tag}"),
        What::Lost => format!("lost      {name}  the index knows it, and storage has nothing of it"),
        What::Failed { reason } => format!("failed    {name}  {reason}"),
    }
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}"))
}
