//! The layout against that of Distribution.

use super::*;

#[test]
fn paths_are_those_of_distribution() {
    let layout = Layout::new(Path::new("/r"));
    let name = RepositoryName::parse("acme/app").unwrap();
    let digest = Digest::parse(&format!("sha256:{}", "ab".repeat(32))).unwrap();
    let hex = digest.hex();
    assert_eq!(layout.blob(&digest), Path::new(&format!("/r/docker/registry/v2/blobs/sha256/ab/{hex}/data")));
    assert_eq!(
        layout.tag_index(&name, &Tag::parse("v1").unwrap(), &digest),
        Path::new(&format!("/r/docker/registry/v2/repositories/acme/app/_manifests/tags/v1/index/sha256/{hex}/link"))
    );
    assert_eq!(layout.below_base(&layout.id(&name)), Path::new("berth/ids/acme/app/_id"));
}
