//! Tests of the whole: the programs' own wiring behind a real port, asked over HTTP; and the laws of the source itself.
//!
//! A rule of the protocol is one line in a table. Must not reach into a service past its doors, save for files that a
//! crash or a peer could have left.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a panic in a test is its report"
)]

mod access_tokens;
mod addresses;
mod administration;
mod auditors;
mod behind_nginx;
mod blobs;
mod cached_answers;
mod clocks;
mod collector;
mod collector_stopped;
mod command_operations;
mod commands;
mod commits;
mod config;
mod conventions;
mod crowds;
mod damage;
mod database_down;
mod decisions;
mod deletes;
mod digests;
mod explain;
mod faults;
mod first_start;
mod foreign_ids;
mod forged_tokens;
mod full_disk;
mod grammar;
mod guessing;
mod held_memory;
mod hidden;
mod hostile_clients;
mod hostile_manifests;
mod htpasswd;
mod idempotency;
mod index_down;
mod intents;
mod internal_doors;
mod invitations;
mod isolation;
mod key_rotation;
mod kinds_of_secrets;
mod late_locks;
mod leaving;
mod left_by_peers;
mod leftover_intents;
mod library;
mod lists;
mod locked_out;
mod long_lists;
mod long_uploads;
mod lying_lengths;
mod manifests;
mod mounts;
mod moving_lists;
mod names_again;
mod namespaces;
mod odd_requests;
mod odd_tokens;
mod openapi;
mod organisation_moves;
mod outlived_tokens;
mod password_forms;
mod password_resets;
mod peer;
mod pretenders;
mod privacy;
mod problems;
mod purge;
mod reads_change_nothing;
mod referrer_entries;
mod referrers;
mod reindex;
mod replicas;
mod repository_moves;
mod rest;
mod rest_conditions;
mod rest_faults;
mod rest_lists;
mod rest_tables;
mod revocation;
mod revocation_feed;
mod revoked_pushes;
mod robots;
mod routes;
mod rules;
mod scrub;
mod secrets_in_answers;
mod secrets_in_logs;
mod sessions;
mod shown_robots;
mod sign_up;
mod silence;
mod slashes;
mod slow_index;
mod smuggling;
mod spoofed_headers;
mod standalone;
mod stock_registry;
mod stopped;
mod support;
mod tag_parameters;
mod tag_race;
mod teams;
mod terminals;
mod tidy;
mod tls;
mod tokens;
mod tried_names;
mod two_bodies;
mod unknown_fields;
mod upload_owners;
mod upload_state;
mod uploads;
mod version;
mod volume;
