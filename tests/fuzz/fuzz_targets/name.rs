//! A repository's name: what is accepted is a path of plain parts that leads nowhere else.
#![no_main]

use libfuzzer_sys::fuzz_target;
use shared::RepositoryName;
use std::path::{Component, Path};

fuzz_target!(|text: &str| {
    if let Ok(name) = RepositoryName::parse(text) {
        assert_eq!(name.as_str(), text);
        assert!(text.len() <= 255);
        assert!(Path::new(text).components().all(|part| matches!(part, Component::Normal(_))));
        assert!(text.split('/').all(|part| !part.is_empty() && !part.starts_with(['_', '.'])));
        let namespace = name.namespace();
        assert!(name.is_bare() || text.split('/').next() == Some(namespace.as_str()));
    }
});
