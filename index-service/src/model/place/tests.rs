//! The rules of rights, one by one.

use super::*;
use crate::model::repository::RepositoryState;
use jiff::Timestamp;
use shared::{NamespaceName, RepositoryName};

fn repository(visibility: Visibility) -> Occupant {
    Occupant::Live(private_or(visibility))
}

fn private_or(visibility: Visibility) -> Repository {
    Repository {
        id: "r1".to_owned(),
        name: RepositoryName::parse("acme/app").unwrap(),
        namespace: NamespaceName::parse("acme").unwrap(),
        visibility,
        description: String::new(),
        star_count: 0,
        official: false,
        state: RepositoryState::Ready,
        created_by: "alice".to_owned(),
        created_at: Timestamp::UNIX_EPOCH,
        updated_at: Timestamp::UNIX_EPOCH,
    }
}

fn good() -> Standing {
    Standing { is_good: true, ..Standing::default() }
}

fn place(standing: Standing, occupant: Occupant) -> Place {
    Place { standing, namespace_exists: true, is_namespace: false, grant: None, occupant }
}

fn role(place: &Place) -> Option<Role> {
    place.repository().map(|(_, role)| role)
}

#[test]
fn each_source_of_rights_gives_its_role_on_a_private_repository() {
    let cases = [
        (good(), None),
        (Standing { instance_role: Some(InstanceRole::Admin), ..good() }, Some(Role::Admin)),
        (Standing { owns_namespace: true, ..good() }, Some(Role::Admin)),
        (Standing { membership: Some(MemberRole::Owner), ..good() }, Some(Role::Admin)),
        (Standing { membership: Some(MemberRole::Member), ..good() }, Some(Role::Read)),
        (Standing { grant: Some(Role::Write), ..good() }, Some(Role::Write)),
        (
            Standing { membership: Some(MemberRole::Member), grant: Some(Role::Maintain), ..good() },
            Some(Role::Maintain),
        ),
    ];
    for (standing, expected) in cases {
        assert_eq!(role(&place(standing.clone(), repository(Visibility::Private))), expected, "{standing:?}");
    }
}

#[test]
fn the_largest_role_counts() {
    let mut place = place(Standing { grant: Some(Role::Read), ..good() }, repository(Visibility::Public));
    place.grant = Some(Role::Maintain);
    assert_eq!(role(&place), Some(Role::Maintain));
}

#[test]
fn everybody_reads_what_is_public_and_nobody_more() {
    assert_eq!(role(&place(good(), repository(Visibility::Public))), Some(Role::Read));
}

#[test]
fn a_disabled_account_has_no_right_at_all() {
    let standing = Standing {
        is_good: false,
        instance_role: Some(InstanceRole::Admin),
        owns_namespace: true,
        ..Standing::default()
    };
    let mut place = place(standing, repository(Visibility::Public));
    place.grant = Some(Role::Admin);
    assert_eq!(role(&place), None);
    assert_eq!(place.creator_role(), None);
    assert!(place.actions().is_empty());
}

#[test]
fn pushing_to_a_free_name_needs_write_on_the_namespace() {
    for (granted, expected) in [(Role::Read, 0), (Role::Write, 2), (Role::Maintain, 3), (Role::Admin, 3)] {
        let place = place(Standing { grant: Some(granted), ..good() }, Occupant::Free);
        assert_eq!(place.actions().len(), expected, "{granted}");
    }
}

#[test]
fn no_repository_is_made_without_a_namespace_or_over_one() {
    let admin = Standing { instance_role: Some(InstanceRole::Admin), ..good() };
    let nowhere = Place { namespace_exists: false, ..place(admin.clone(), Occupant::Free) };
    let over_a_namespace = Place { is_namespace: true, ..place(admin, Occupant::Free) };
    assert_eq!((nowhere.creator_role(), over_a_namespace.creator_role()), (None, None));
}

#[test]
fn a_deleted_repository_gives_nothing_and_holds_its_name() {
    let deleted = DeletedRepository { repository: private_or(Visibility::Private), deleted_at: Timestamp::UNIX_EPOCH };
    let place = place(Standing { instance_role: Some(InstanceRole::Admin), ..good() }, Occupant::Deleted(deleted));
    assert!(place.repository().is_none() && place.actions().is_empty() && place.repository_id().is_none());
}

#[test]
fn a_request_gets_what_it_asks_for_and_holds() {
    let place = place(Standing { grant: Some(Role::Write), ..good() }, repository(Visibility::Private));
    assert_eq!(place.granted(&[Action::Push, Action::Delete].into()), [Action::Push].into());
    assert_eq!(place.granted(&[Action::All].into()), [Action::Pull, Action::Push].into());
    assert!(place.granted(&[Action::Search].into()).is_empty());
}

#[test]
fn an_auditor_sees_everything_and_holds_nothing() {
    let auditor = Standing {
        instance_role: Some(InstanceRole::Auditor),
        owns_namespace: true,
        membership: Some(MemberRole::Owner),
        grant: Some(Role::Admin),
        ..good()
    };
    let mut private = place(auditor.clone(), repository(Visibility::Private));
    private.grant = Some(Role::Admin);
    assert_eq!((role(&private), private.seen().map(|(_, role)| role)), (None, Some(Role::Admin)));
    assert!(private.actions().is_empty() && !auditor.is_owner() && auditor.is_insider() && auditor.sees_as_owner());
    assert_eq!(role(&place(auditor.clone(), repository(Visibility::Public))), Some(Role::Read));
    assert_eq!(place(auditor.clone(), Occupant::Free).creator_role(), None);
    let disabled = Standing { is_good: false, ..auditor };
    assert!(disabled.sight().is_none() && !disabled.is_insider() && !disabled.sees_as_owner());
}

#[test]
fn a_grant_makes_no_owner() {
    assert!(!Standing { grant: Some(Role::Admin), ..good() }.is_owner());
    assert!(Standing { membership: Some(MemberRole::Owner), ..good() }.is_owner());
}
