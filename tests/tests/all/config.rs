//! The settings file, in the shape of Distribution's `config.yml`, under the environment; and the ranges of addresses.

use crate::support::{Standalone, environment};
use registry_service::config::{AdmissionSettings, SplitSettings, spread_maps};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// The file that comes with `registry:2`, with more of what people add to it.
const CONFIG: &str = "\
version: 0.1
log:
  level: debug
  fields:
    service: registry
storage:
  cache:
    blobdescriptor: inmemory
  filesystem:
    rootdirectory: /srv/registry
  delete:
    enabled: false
  maintenance:
    uploadpurging:
      enabled: true
      age: 24h
      interval: 1h
      dryrun: true
    readonly:
      enabled: true
http:
  addr: :5050
  host: https://registry.example
  secret: a secret
  allow: [10.0.0.0/8, '::1']
  trusted_proxies: [10.9.0.1]
  headers:
    X-Content-Type-Options: [nosniff]
auth:
  htpasswd:
    realm: basic-realm
    path: /etc/registry/htpasswd
health:
  storagedriver:
    enabled: true
    interval: 10s
    threshold: 3
";

/// What is read from a file of this content under these variables.
fn read(content: &str, variables: &[(&str, &str)]) -> anyhow::Result<SplitSettings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yml");
    fs::write(&path, content).unwrap();
    let mut environment = environment(variables);
    environment.add_file("REGISTRY", &path)?;
    SplitSettings::from_environment(&environment)
}

#[test]
fn a_file_of_distribution_is_read() {
    let SplitSettings { common, address, .. } = read(CONFIG, &[]).unwrap();
    assert_eq!(address.to_string(), "0.0.0.0:5050");
    assert_eq!(common.root, PathBuf::from("/srv/registry"));
    assert!(!common.policy.deletes && common.policy.read_only);
    assert_eq!((common.purge.age, common.purge.dry_run), (Duration::from_hours(24), true));
    assert_eq!(common.host.as_deref(), Some("https://registry.example"));
    assert_eq!((common.allowed.ranges().len(), common.trusted_proxies.ranges().len()), (2, 1));
    let AdmissionSettings::Htpasswd { path, realm } = common.admission else { panic!("{:?}", common.admission) };
    assert_eq!((path, realm.as_str()), (PathBuf::from("/etc/registry/htpasswd"), "basic-realm"));
}

#[test]
fn a_variable_wins_over_the_file() {
    let settings = read(
        CONFIG,
        &[
            ("REGISTRY_HTTP_ADDR", "127.0.0.1:443"),
            ("REGISTRY_HTTP_HOST", ""),
            ("REGISTRY_STORAGE_DELETE_ENABLED", "true"),
            ("REGISTRY_AUTH_HTPASSWD_REALM", "ours"),
        ],
    )
    .unwrap();
    assert_eq!(settings.address.to_string(), "127.0.0.1:443");
    assert_eq!(settings.common.host.as_deref(), Some("https://registry.example"), "an empty one is unset");
    assert!(settings.common.policy.deletes);
    assert!(matches!(settings.common.admission, AdmissionSettings::Htpasswd { realm, .. } if realm == "ours"));
}

#[test]
fn an_index_has_keys_of_its_own_and_secrets_their_twins() {
    let tokens =
        "auth: { token: { realm: 'http://r/token', service: s, issuer: i } }\nindex: { url: 'http://index:5001' }\n";
    let settings = read(tokens, &[]).unwrap();
    assert_eq!(settings.index_url.as_deref(), Some("http://index:5001"));
    let AdmissionSettings::Tokens(read_tokens) = settings.common.admission else { panic!("no tokens") };
    assert_eq!(
        (read_tokens.realm.as_str(), read_tokens.service.as_str(), read_tokens.issuer.as_str()),
        ("http://r/token", "s", "i")
    );

    let folder = tempfile::tempdir().unwrap();
    let (path, secret) = (folder.path().join("config.yml"), folder.path().join("secret"));
    fs::write(&path, "index:\n  secret: of the file\n").unwrap();
    fs::write(&secret, "of the variable\n").unwrap();
    let mut environment = environment(&[("REGISTRY_INDEX_SECRET_FILE", secret.to_str().unwrap())]);
    environment.add_file("REGISTRY", &path).unwrap();
    assert_eq!(environment.secret("REGISTRY_INDEX_SECRET").unwrap().unwrap(), "of the variable");
}

/// A file, and the words of the refusal to start; empty where the registry is open. `…` stands for anything.
const FILES: &[(&str, &str)] = &[
    ("", ""),
    ("version: 0.1\nstorage: { filesystem: { rootdirectory: /x } }\n", ""),
    ("version: 0.1\nstorage: filesystem\nnotifications: { endpoints: [{ name: a, url: b }] }\n", ""),
    ("version: 0.2\n", "has version 0.2"),
    ("auth:\n", "auth (line 1 of "),
    ("auth: {}\n", "auth (line 1 of "),
    ("auth: { token: {} }\n", "REGISTRY_AUTH_TOKEN_REALM is not set"),
    ("auth: { htpasswd: {} }\n", "REGISTRY_AUTH_HTPASSWD_PATH is not set"),
    ("index: {}\n", "REGISTRY_AUTH_TOKEN_REALM is not set"),
    ("auth: { silly: { realm: r } }\n", "auth.silly.realm (line 1 of "),
    ("auth: { token: { realm: 'http://r/token' } }\n", "REGISTRY_INDEX_URL is not set"),
    ("auth: { token: { rootcertbundle: /x } }\n", "REGISTRY_AUTH_TOKEN_REALM is not set"),
    ("storage: { s3: { bucket: b } }\n", "storage.s3.bucket (line 1 of "),
    ("storage: inmemory\n", "on a file system only"),
    ("http:\n  addr: here\n", "http.addr (line 2 of "),
    ("http:\n  allow: [all]\n", "http.allow (line 2 of "),
    ("http: { allow: }\n", "http.allow (line 1 of "),
    ("http: { allow: all }\n", "http.allow (line 1 of …) cannot be used: REGISTRY_HTTP_ALLOW is address ranges"),
    ("http: { allow: all }\n", "is address ranges, as 10.0.0.0/8,fd00::/8, and not \"all\""),
    ("http: { allow: {} }\n", "http.allow (line 1 of …) cannot be used: REGISTRY_HTTP_ALLOW is address ranges"),
    ("http: { allowed: [10.0.0.0/8] }\n", "http.allowed (line 1 of …) cannot be used: REGISTRY_HTTP_ALLOW is address"),
    ("http: { allow: [[10.0.0.0/8]] }\n", "http.allow…(line 1 of …) cannot be used: REGISTRY_HTTP_ALLOW is address"),
    ("http: { allow: { 10.0.0.0/8: } }\n", "http.allow…(line 1 of …) cannot be used: REGISTRY_HTTP_ALLOW is address"),
    ("http:\n  tls:\n    clientcas: [/ca]\n", "http.tls.clientcas (line 3 of "),
    ("http:\n  tls:\n    certificate: /c\n", "TLS needs both"),
    ("storage:\n  delete:\n    enabled: perhaps\n", "storage.delete.enabled (line 3 of "),
    ("storage: { delete: { enabled: } }\n", "storage.delete.enabled (line 1 of …) says nothing that is understood"),
    ("storage: { delete: false }\n", "storage.delete (line 1 of …) says nothing that is understood"),
    ("storage: { maintenance: { readonly: true } }\n", "set REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED"),
    ("storage: { maintenance: { readonly: {} } }\n", "set REGISTRY_STORAGE_MAINTENANCE_READONLY_ENABLED"),
    ("http: { tls: { minimumtls: tls1.3 } }\n", "http.tls.minimumtls (line 1 of "),
    ("- a\n", "is no settings file"),
    ("a: b: c\n", "is no settings file"),
];

// Who comes from Distribution sets `readonly` so: a variable for its one key is an error there.
#[test]
fn a_variable_that_holds_a_map_says_each_of_its_values() {
    let variables = [
        ("REGISTRY_STORAGE_MAINTENANCE_READONLY", "{\"enabled\":true}"),
        ("REGISTRY_STORAGE", "{filesystem: {rootdirectory: /of-the-map}, delete: {enabled: true}}"),
        ("REGISTRY_STORAGE_DELETE", "enabled: false"),
        ("REGISTRY_HTTP", "{addr: ':5051', allow: [10.0.0.0/8]}"),
        ("REGISTRY_HTTP_ADDR", ":5052"),
        ("REGISTRY_HTTP_SECRET", "{any: thing}"),
    ];
    let mut environment = environment(&variables);
    spread_maps(&mut environment).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yml");
    fs::write(&path, "storage: { filesystem: { rootdirectory: /of-the-file } }\n").unwrap();
    environment.add_file("REGISTRY", &path).unwrap();
    let SplitSettings { common, address, .. } = SplitSettings::from_environment(&environment).unwrap();
    assert_eq!((common.root, address.port()), (PathBuf::from("/of-the-map"), 5052));
    assert!(common.policy.read_only && !common.policy.deletes);
    assert_eq!(common.allowed.to_string(), "10.0.0.0/8");
}

#[test]
fn a_file_that_cannot_be_used_stops_the_start_and_says_where() {
    for (content, refusal) in FILES {
        match read(content, &[]) {
            Ok(settings) => {
                assert!(matches!(settings.common.admission, AdmissionSettings::Open), "{content}");
                assert_eq!(*refusal, "", "{content}");
            }
            Err(error) => {
                let error = format!("{error:#}");
                let is_said = refusal.split('…').all(|words| error.contains(words));
                assert!(!refusal.is_empty() && is_said, "{content}: {error}");
            }
        }
    }
    let error = environment(&[]).add_file("REGISTRY", "/nowhere/config.yml".as_ref()).unwrap_err();
    assert!(error.to_string().contains("/nowhere/config.yml cannot be read"), "{error}");
}

/// (ranges, proxies, `X-Forwarded-For`, status) for a client on 127.0.0.1.
const CLIENTS: &[(&str, &str, &str, u16)] = &[
    ("127.0.0.0/8", "", "", 200),
    ("10.0.0.0/8, 127.0.0.1", "", "", 200),
    ("10.0.0.0/8", "", "", 403),
    ("10.0.0.0/8", "", "10.1.1.1", 403),
    ("10.0.0.0/8", "127.0.0.1", "10.1.1.1", 200),
    ("10.0.0.0/8", "127.0.0.1", "10.1.1.1, 8.8.8.8", 403),
    ("127.0.0.0/8", "127.0.0.1", "8.8.8.8", 403),
];

#[tokio::test]
async fn only_addresses_in_the_ranges_are_served() {
    for (allowed, proxies, forwarded, status) in CLIENTS {
        let mut settings = vec![("REGISTRY_HTTP_ALLOW", *allowed)];
        settings.extend((!proxies.is_empty()).then_some(("REGISTRY_HTTP_TRUSTED_PROXIES", *proxies)));
        let registry = Standalone::start(&settings);
        for path in ["/v2/", "/v2/_catalog", "/v2/nowhere"] {
            let request = registry.host.get(path);
            let request = if forwarded.is_empty() { request } else { request.header("x-forwarded-for", *forwarded) };
            let answer = request.send().await;
            match status {
                403 => drop(answer.refuses(403, "DENIED")),
                _ => assert_ne!(answer.status, 403, "{allowed} {proxies} {forwarded}"),
            }
        }
    }
}
