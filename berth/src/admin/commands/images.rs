//! Commands that look at what was pushed.

use super::{Call, repository};

#[derive(clap::Subcommand)]
pub enum Tag {
    /// The tags of a repository.
    List { repo: String },
}

impl Tag {
    /// The request.
    pub fn call(self) -> Call {
        let Self::List { repo } = self;
        Call::list(&repository(&repo, &["-", "tags"]), &["name", "digest", "updated_at", "updated_by"])
    }
}

#[derive(clap::Subcommand)]
pub enum Image {
    /// A manifest, with everything that it names.
    Inspect {
        /// As `acme/app@sha256:…`; `berth tag list` shows the digests of tags.
        #[arg(value_name = "REPO@DIGEST", value_parser = split)]
        image: (String, String),
    },
}

impl Image {
    /// The request.
    pub fn call(self) -> Call {
        let Self::Inspect { image: (repo, digest) } = self;
        Call::show(&repository(&repo, &["-", "manifests", &digest]))
    }
}

/// `acme/app@sha256:…`
fn split(text: &str) -> Result<(String, String), &'static str> {
    let (repo, digest) = text.split_once('@').ok_or("say REPO@DIGEST, as acme/app@sha256:…")?;
    Ok((repo.to_owned(), digest.to_owned()))
}
